import type { Values } from "./plan.js";

/** Mean, minimum and maximum of several lines at each mark, over the lines that have a value there. */
export function bandOf(lines: readonly Values[], marks: number): { mean: Values; low: Values; high: Values } {
  const mean: Values = new Array(marks).fill(null);
  const low: Values = new Array(marks).fill(null);
  const high: Values = new Array(marks).fill(null);
  for (let i = 0; i < marks; i++) {
    let sum = 0;
    let count = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (const line of lines) {
      const value = line[i];
      if (value === null || value === undefined) continue;
      sum += value;
      count++;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    if (count === 0) continue;
    mean[i] = sum / count;
    low[i] = min;
    high[i] = max;
  }
  return { mean, low, high };
}
