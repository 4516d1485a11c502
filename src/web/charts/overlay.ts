import uPlot from "uplot";
import type { Drawing, Point } from "./drawing.js";
import { CROSS } from "./markers.js";
import type { Palette } from "./palette.js";

/** Points (few, measured now and then) and marks, over the lines. */
export function drawOver(plot: uPlot, frame: Drawing | null, colors: Palette): void {
  if (frame === null) return;
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const points of frame.points ?? []) {
    ctx.strokeStyle = ctx.fillStyle = colors.line(points.color, 1);
    ctx.lineWidth = 2 * ratio;
    if (points.marker === undefined) drawJoined(plot, points.at);
    else drawMarkers(plot, points.at, new Path2D(points.marker), colors.ground);
  }
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  for (const [i, { x, label, color }] of (frame.marks ?? []).entries()) {
    const left = plot.valToPos(x, "x", true);
    if (left < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.strokeStyle = ctx.fillStyle = colors.line(color, 1);
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.stroke(new Path2D(`M${left} ${bbox.top}V${bbox.top + bbox.height}`));
    // Where there is no room, the table of suggestions has to do.
    if (bbox.width < 480 * ratio) continue;
    const onLeft = left + ctx.measureText(label).width + 6 * ratio > bbox.left + bbox.width;
    ctx.textAlign = onLeft ? "right" : "left";
    ctx.setLineDash([]);
    ctx.lineWidth = 4 * ratio;
    ctx.strokeStyle = colors.ground;
    ctx.strokeText(label, left + (onLeft ? -4 : 4) * ratio, bbox.top + (4 + 15 * i) * ratio);
    ctx.fillText(label, left + (onLeft ? -4 : 4) * ratio, bbox.top + (4 + 15 * i) * ratio);
  }
  ctx.restore();
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
