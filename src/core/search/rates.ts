/** Rounded to 6 digits, so that rates read well and equal rates are equal numbers. `log`: of the rate, to base 10. */
export function rateAt(log: number): number {
  return Number((10 ** log).toPrecision(6));
}

/** Logs from low to high, both included, evenly spaced and at most `spacing` decades apart. */
export function ladderOf(low: number, high: number, spacing: number): number[] {
  const gaps = Math.max(1, Math.ceil((high - low) / spacing - 1e-9));
  return high - low < 1e-9 ? [low] : Array.from({ length: gaps + 1 }, (_, i) => low + ((high - low) * i) / gaps);
}
