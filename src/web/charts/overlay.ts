import uPlot from "uplot";
import type { Drawing } from "./drawing.js";
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
  for (const { color, at } of frame.points ?? []) {
    ctx.strokeStyle = ctx.fillStyle = colors.line(color, 1);
    ctx.lineWidth = 2 * ratio;
    const path = new Path2D();
    for (const [i, { x, y }] of at.entries()) {
      const left = plot.valToPos(x, "x", true);
      const top = plot.valToPos(y, "y", true);
      if (i === 0) path.moveTo(left, top);
      else path.lineTo(left, top);
      if (at.length <= 200) ctx.fillRect(left - 3 * ratio, top - 3 * ratio, 6 * ratio, 6 * ratio);
    }
    ctx.stroke(path);
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
