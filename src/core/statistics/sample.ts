import { tCritical } from "./student-t.js";

/** Sums in ascending order, so that what comes of a sample does not depend on the order of its values, to the bit. */
function sum(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b).reduce((total, value) => total + value, 0);
}

/** NaN of no values. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Unbiased (n - 1 below the line); NaN of fewer than two values. */
export function variance(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const centre = mean(values);
  return sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1);
}

/** Half the width of Student's t interval of the mean; `alpha` is the chance that it misses. NaN of fewer than two values. */
export function halfWidth(values: readonly number[], alpha: number): number {
  if (values.length < 2) return Number.NaN;
  return tCritical(alpha, values.length - 1) * Math.sqrt(variance(values) / values.length);
}

/** Student's t interval of the mean; null of fewer than two values. */
export function meanInterval(values: readonly number[], alpha: number): [number, number] | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  const half = halfWidth(values, alpha);
  return [centre - half, centre + half];
}
