import uPlot from "uplot";
import type { Drawing, Mark, Point } from "./drawing.js";
import { CROSS } from "./markers.js";
import type { Palette } from "./palette.js";

/** Points (few, measured now and then) and marks, over the lines. */
export function drawOver(plot: uPlot, frame: Drawing | null, colors: Palette, hidden: ReadonlySet<string>): void {
  if (frame === null) return;
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  frame.layer?.(plot);
  for (const points of frame.points ?? []) {
    if (points.key !== undefined && hidden.has(points.key)) continue;
    ctx.strokeStyle = ctx.fillStyle = points.fill ?? colors.line(points.color, 1);
    ctx.lineWidth = 2 * ratio;
    if (points.marker === undefined) drawJoined(plot, points.at);
    else drawMarkers(plot, points.at, new Path2D(points.marker), colors.ground);
  }
  drawMarks(plot, frame.marks ?? [], colors);
  ctx.restore();
}

/** Each label stands in the highest row in which it touches no other, and within the plot as far as that is wide enough. */
function drawMarks(plot: uPlot, marks: readonly Mark[], colors: Palette): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const gap = 4 * ratio;
  const size = (bbox.width < 480 * ratio ? 11 : 12) * ratio;
  ctx.font = `${size}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  const rows: (readonly [number, number])[][] = [];
  for (const { x, label, color } of marks) {
    const at = plot.valToPos(x, "x", true);
    if (!(at >= bbox.left && at <= bbox.left + bbox.width)) continue;
    ctx.strokeStyle = ctx.fillStyle = colors.line(color, 1);
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.stroke(new Path2D(`M${at} ${bbox.top}V${bbox.top + bbox.height}`));
    ctx.setLineDash([]);
    const width = ctx.measureText(label).width;
    const beyond = bbox.left + bbox.width - gap;
    const left = Math.max(bbox.left + gap, at + gap + width <= beyond ? at + gap : at - gap - width);
    const free = rows.findIndex((row) => row.every(([from, to]) => left > to + gap || left + width < from - gap));
    const row = free === -1 ? rows.push([]) - 1 : free;
    rows[row]!.push([left, left + width]);
    const top = bbox.top + gap + row * (size + 3 * ratio);
    ctx.lineWidth = 4 * ratio;
    ctx.strokeStyle = colors.ground;
    ctx.strokeText(label, left, top);
    ctx.fillText(label, left, top);
  }
}

function drawJoined(plot: uPlot, at: readonly Point[]): void {
  const { ctx } = plot;
  const ratio = uPlot.pxRatio;
  const path = new Path2D();
  for (const [i, { x, y }] of at.entries()) {
    const left = plot.valToPos(x, "x", true);
    const top = plot.valToPos(y ?? Number.NaN, "y", true);
    if (i === 0) path.moveTo(left, top);
    else path.lineTo(left, top);
    if (at.length <= 200) ctx.fillRect(left - 3 * ratio, top - 3 * ratio, 6 * ratio, 6 * ratio);
  }
  ctx.stroke(path);
}

/** Shapes with error bars, each edged with the ground so that those that overlap can be told apart. */
function drawMarkers(plot: uPlot, at: readonly Point[], marker: Path2D, ground: string): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const cross = new Path2D(CROSS);
  for (const { x, y, error = null } of at) {
    const left = plot.valToPos(x, "x", true);
    const place = (value: number) => plot.valToPos(value, "y", true);
    if (y !== null && error !== null) ctx.stroke(new Path2D(`M${left} ${place(y - error)}V${place(y + error)}`));
    ctx.save();
    ctx.translate(left, y === null ? bbox.top + 8 * ratio : place(y));
    ctx.scale(ratio, ratio);
    if (y === null) {
      ctx.lineWidth = 2;
      ctx.stroke(cross);
    } else {
      ctx.strokeStyle = ground;
      ctx.lineWidth = 2;
      ctx.stroke(marker);
      ctx.fill(marker);
    }
    ctx.restore();
  }
}
