import type { Fit } from "./fit.js";

/** A line of a chart of many: ascending x, and y that may be NaN. */
export interface ManyLine {
  readonly x: Float64Array;
  readonly y: Float32Array | Float64Array;
}

/** Index of the last x at or before a position; -1: there is none. */
export function lastBefore(x: Float64Array, position: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle]! <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Height of a line at a position, between its points; NaN outside them. */
export function heightAt({ x, y }: ManyLine, position: number): number {
  const i = lastBefore(x, position);
  if (i < 0 || (i === x.length - 1 && position > x[i]!)) return Number.NaN;
  if (i === x.length - 1) return y[i]!;
  const part = (position - x[i]!) / (x[i + 1]! - x[i]!);
  return y[i]! + part * (y[i + 1]! - y[i]!);
}

/** The line that passes a point most closely, in the y axis's own geometry; -1: none is within `reach` of it. */
export function nearestLine(
  lines: readonly ManyLine[],
  [x, y]: readonly [number, number],
  { log, reach }: { readonly log: boolean; readonly reach: number },
): number {
  const place = (value: number) => (log ? Math.log10(value) : value);
  let best = -1;
  let distance = reach;
  for (const [i, line] of lines.entries()) {
    const apart = Math.abs(place(heightAt(line, x)) - place(y));
    if (apart <= distance) {
      distance = apart;
      best = i;
    }
  }
  return best;
}

/** What a tenth of the lines is above may run out at the top: those that diverge, and those that never learn. */
const LINES_SHOWN = 0.9;
/** Of a line's visible stretch, which begins with its fall. */
const FALL = 0.05;

/** [low, high] of the y axis for what lines show between left and right; null: nothing. */
export function fitMany(
  lines: readonly ManyLine[],
  [left, right]: readonly [number, number],
  fit: Fit,
  log: boolean,
): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  const heights: number[] = [];
  for (const { x, y } of lines) {
    const from = Math.max(0, lastBefore(x, left));
    const to = Math.min(x.length - 1, lastBefore(x, right) + 1);
    const settled = fit === "all" ? from : from + Math.ceil((to - from) * FALL);
    let high = Number.NEGATIVE_INFINITY;
    for (let i = from; i <= to; i++) {
      const value = y[i]!;
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      if (value < low) low = value;
      if (i >= settled && value > high) high = value;
    }
    if (high > Number.NEGATIVE_INFINITY) heights.push(high);
  }
  if (heights.length === 0) return null;
  heights.sort((a, b) => a - b);
  const high = fit === "all" ? heights.at(-1)! : heights[Math.floor(LINES_SHOWN * (heights.length - 1))]!;
  if (log) {
    const margin = Math.max(1.05, (high / low) ** 0.05);
    return [low / margin, high * margin];
  }
  const margin = (high - low || Math.abs(high) || 1) * 0.05;
  return [low >= 0 && low - margin < 0 ? 0 : low - margin, high + margin];
}

/** Heights of lines at common places, one array a line. */
export function resampled(lines: readonly ManyLine[], places: Float64Array): Float64Array[] {
  return lines.map((line) => Float64Array.from(places, (x) => heightAt(line, x)));
}
