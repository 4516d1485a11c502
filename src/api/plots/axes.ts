import type { Axis, Line, Mark, Plot, Scale } from "./plot.js";

/** Values below have no place on a logarithmic axis. */
const LEAST = 1e-300;
/** Ends that differ by less than this part of themselves count as one value: rounding, not a range. */
const SAME = 1e-9;

/** A plot before its axes have ends. */
export interface Drawing {
  readonly title: string;
  readonly subtitle: string;
  readonly lines: readonly Line[];
  readonly marks: readonly Mark[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xScale: Scale;
  readonly yScale: Scale;
  /** One past the last step, of a plot against the step: the axis has round ends then; null: it ends with the data. */
  readonly steps: number | null;
  /** The highest y that the axis goes up to; null: all is shown. */
  readonly ceiling: number | null;
}

/** Axes that everything fits on: x from end to end, y with a little room. */
export function withAxes({
  title,
  subtitle,
  lines,
  marks,
  xLabel,
  yLabel,
  xScale,
  yScale,
  steps,
  ceiling,
}: Drawing): Plot {
  const ends = extent(lines, 0, xScale);
  const x = axis(xLabel, xScale, ends && steps !== null ? [xScale === "log" ? ends[0] : 0, steps] : ends, 0);
  const y = axis(yLabel, yScale, extent(lines, 1, yScale, ceiling ?? Number.POSITIVE_INFINITY), 0.04);
  const visible = marks.filter((mark) => mark.x >= x.low && mark.x <= x.high);
  return { title, subtitle, x, y, lines, marks: visible };
}

function extent(
  lines: readonly Line[],
  column: 0 | 1,
  scale: Scale,
  ceiling = Number.POSITIVE_INFINITY,
): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { points } of lines) {
    for (const { [column]: value } of points) {
      if (!Number.isFinite(value) || (scale === "log" && value < LEAST)) continue;
      low = Math.min(low, value);
      high = Math.max(high, Math.min(value, ceiling));
    }
  }
  return low > high ? null : [low, high];
}

/** Widened by a part of its length at both ends; a single value, or none, gets an axis around it. */
function axis(label: string, scale: Scale, found: [number, number] | null, room: number): Axis {
  const [low, high] = found ?? [1, 1];
  const single = high - low <= SAME * Math.max(Math.abs(low), Math.abs(high), LEAST);
  if (scale === "log") {
    const factor = single ? 2 : 10 ** ((Math.log10(high) - Math.log10(low)) * room);
    return { label, scale, low: low / factor, high: high * factor };
  }
  const width = single ? Math.abs(low) / 2 || 1 : (high - low) * room;
  return { label, scale, low: low - width, high: high + width };
}
