/** Rounded to 6 digits, so that rates read well and equal rates are equal numbers. `log`: of the rate, to base 10. */
export function rateAt(log: number): number {
  return Number((10 ** log).toPrecision(6));
}

/** Logs from low to high, both included, evenly spaced and at most `spacing` decades apart. */
export function ladderOf(low: number, high: number, spacing: number): number[] {
  const gaps = Math.max(1, Math.ceil((high - low) / spacing - 1e-9));
  return high - low < 1e-9 ? [low] : Array.from({ length: gaps + 1 }, (_, i) => low + ((high - low) * i) / gaps);
}

/** Each horizon is so many times the one before. */
const RUNG_FACTOR = 4;
/** Steps below which a training says nothing about a longer one; and rungs at most. */
const SHORTEST_RUNG = 60;
const MOST_RUNGS = 6;

/** Ascending; the last is the horizon itself. */
export function rungsOf(steps: number): number[] {
  const rungs = [steps];
  while (rungs.length < MOST_RUNGS && rungs[0]! / RUNG_FACTOR >= SHORTEST_RUNG) {
    rungs.unshift(Math.round(rungs[0]! / RUNG_FACTOR));
  }
  return rungs;
}
