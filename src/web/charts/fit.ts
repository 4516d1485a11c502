import type { Values } from "./plan.js";

/**
 * What the y axis of a chart shows. "all": every value. "level": the smoothed lines, of whose highest twentieth (the fall at the
 * beginning) the rest may run out at the top. "valley": the smoothed lines as far above where they begin as they fall below it,
 * so that a sweep's explosion does not flatten its valley.
 */
export type Fit = "all" | "level" | "valley";

const HIGHEST_PART = 0.05;
/** Of fewer none may run out: a run that diverged at its second step would show nothing. */
const ENOUGH = 1 / HIGHEST_PART;

/** What a fit looks at: lines and points, without those that are hidden. */
export interface Fitted {
  readonly values: Iterable<number | null>;
  /** The noise behind a smoothed line: counts for "all" alone. */
  readonly faint: boolean;
}

/**
 * [low, high] of the y axis, with a margin; of positive values alone on a log axis. null: there is nothing to show. `limit`: what
 * is above may run out at the top; not on a log axis.
 */
export function fitRange(
  series: readonly Fitted[],
  fit: Fit,
  log: boolean,
  limit = Number.POSITIVE_INFINITY,
): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { values, faint } of series) {
    if (faint && fit !== "all") continue;
    const shown = finite(values, log);
    if (shown.length === 0) continue;
    const least = shown.reduce((a, b) => Math.min(a, b));
    low = Math.min(low, least);
    high = Math.max(high, highest(shown, least, fit));
  }
  if (low > high) return null;
  if (log) {
    const margin = Math.max(1.05, (high / low) ** 0.05);
    return [low / margin, high * margin];
  }
  // The margin is of what is shown: an explosion above the limit would leave a line at the top of an empty picture.
  high = Math.max(low, Math.min(high, limit));
  const margin = (high - low || Math.abs(high) || 1) * (fit === "level" ? 0.1 : 0.05);
  return [low >= 0 && low - margin < 0 ? 0 : low - margin, high + margin];
}

function highest(values: readonly number[], least: number, fit: Fit): number {
  if (fit === "all" || (fit === "level" && values.length < ENOUGH)) return values.reduce((a, b) => Math.max(a, b));
  const ascending = Float64Array.from(values).sort();
  if (fit === "level") return ascending[Math.floor((1 - HIGHEST_PART) * (ascending.length - 1))]!;
  const level = Math.max(values[0]!, ascending[ascending.length >> 1]!);
  return Math.min(ascending.at(-1)!, level + Math.max(level - least, Math.abs(level) * 0.05));
}

function finite(values: Iterable<number | null>, log: boolean): number[] {
  const shown: number[] = [];
  for (const value of values) if (value !== null && Number.isFinite(value) && !(log && value <= 0)) shown.push(value);
  return shown;
}

export const asFitted = (values: Values, faint: boolean): Fitted => ({ values, faint });
