import { tCritical } from "../../core/statistics/student-t.js";
import type { Values } from "./plan.js";

/** What the band about a mean shows: Student's 95 % interval of the mean, or all from the lowest to the highest. */
export type BandKind = "interval" | "range";

const ALPHA = 0.05;
const critical = new Map<number, number>();

/** Half the width of the mean's interval, in standard errors. */
function criticalOf(count: number): number {
  let t = critical.get(count);
  if (t === undefined) {
    t = tCritical(ALPHA, count - 1);
    critical.set(count, t);
  }
  return t;
}

export interface MeanBand {
  readonly mean: Values;
  readonly low: Values;
  readonly high: Values;
}

/**
 * Mean of several lines at each mark, and a band about it, over the lines that have a finite value there. Of one value the
 * interval is not known, and none is drawn.
 */
export function bandOf(lines: readonly ArrayLike<number | null>[], marks: number, kind: BandKind = "range"): MeanBand {
  const mean: Values = new Array(marks).fill(null);
  const low: Values = new Array(marks).fill(null);
  const high: Values = new Array(marks).fill(null);
  for (let i = 0; i < marks; i++) {
    const known: number[] = [];
    for (const line of lines) {
      const value = line[i];
      if (value !== null && value !== undefined && Number.isFinite(value)) known.push(value);
    }
    if (known.length === 0) continue;
    const centre = known.reduce((sum, value) => sum + value, 0) / known.length;
    mean[i] = centre;
    if (kind === "range") {
      low[i] = Math.min(...known);
      high[i] = Math.max(...known);
    } else if (known.length > 1) {
      const squares = known.reduce((sum, value) => sum + (value - centre) ** 2, 0);
      const half = criticalOf(known.length) * Math.sqrt(squares / (known.length - 1) / known.length);
      low[i] = centre - half;
      high[i] = centre + half;
    }
  }
  return { mean, low, high };
}
