import type { ArmSummary } from "./search-fit.js";

/** Rates from low to high, evenly spaced in log, at most `decades` apart. */
export function grid(low: number, high: number, decades: number): number[] {
  const intervals = Math.ceil(Math.log10(high / low) / decades - 1e-6);
  if (intervals <= 0) return [tidy(low)];
  return Array.from({ length: intervals + 1 }, (_, i) => tidy(low * (high / low) ** (i / intervals)));
}

/** Rounded to 6 digits, so that rates read well and equal rates are equal numbers. */
export function tidy(lr: number): number {
  return Number(lr.toPrecision(6));
}

/** Index of the lowest mean; -1 when all diverged. */
export function bestIndex(arms: readonly ArmSummary[]): number {
  let best = -1;
  for (const [i, arm] of arms.entries()) {
    if (arm.validationLoss !== null && (best < 0 || arm.validationLoss < arms[best]!.validationLoss!)) best = i;
  }
  return best;
}

/**
 * When the best arm is the outermost on a side where the range goes on, the rates with up to two more there, `decades` apart;
 * else null. Arms ascend in rate. Where every arm diverged, the rate is too high for all.
 */
export function extend(
  arms: readonly ArmSummary[],
  range: readonly [number, number],
  decades: number,
): number[] | null {
  const best = bestIndex(arms);
  const rates = arms.map((arm) => arm.lr);
  const factor = 10 ** decades;
  const [low, high] = range;
  const first = rates[0]!;
  const last = rates.at(-1)!;
  if (best <= 0 && first > tidy(low)) {
    const more = [2, 1].map((k) => tidy(Math.max(low, first / factor ** k)));
    return [...new Set([...more, ...rates])];
  }
  if (best === rates.length - 1 && last < tidy(high)) {
    const more = [1, 2].map((k) => tidy(Math.min(high, last * factor ** k)));
    return [...new Set([...rates, ...more])];
  }
  return null;
}

/** The better half, as one stretch, and one more below: with more steps the best rate moves down. Not all may have diverged. */
export function survivors(arms: readonly ArmSummary[]): number[] {
  const ranked = arms.map((_, i) => i).filter((i) => arms[i]!.validationLoss !== null);
  ranked.sort((a, b) => arms[a]!.validationLoss! - arms[b]!.validationLoss!);
  const kept = ranked.slice(0, Math.ceil(arms.length / 2));
  return arms.slice(Math.max(0, Math.min(...kept) - 1), Math.max(...kept) + 1).map((arm) => arm.lr);
}
