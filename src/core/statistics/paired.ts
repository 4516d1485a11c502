import { mean, variance } from "./sample.js";
import { signTest } from "./sign-test.js";
import { tCritical, tTail } from "./student-t.js";

export type Verdict = "better" | "worse" | "tied";

/** Lower loss is better. `null` of a loss: that training diverged, which is worse than any loss. */
export interface Comparison {
  /** Mean of arm minus baseline over the places in which both have a loss; null when there is none. */
  readonly mean: number | null;
  /** Of that mean, at 1 - alpha / comparisons; null with fewer than two seeds, or where seeds with one divergence decide. */
  readonly interval: readonly [number, number] | null;
  /** Two-sided, times the number of comparisons, at most 1; at most alpha exactly where the verdict is not "tied". */
  readonly pValue: number;
  readonly verdict: Verdict;
  /** Of a tie: how many further seeds would do, were difference and spread as they look; null: not within MOST_SEEDS. */
  readonly moreSeeds: number | null;
  /** Seeds in which the arm alone, the baseline alone, and both diverged. */
  readonly diverged: { readonly arm: number; readonly baseline: number; readonly both: number };
}

/** Up to here more seeds are advised. */
export const MOST_SEEDS = 1000;

export interface ComparisonOptions {
  /** Chance that any of the comparisons calls a difference where there is none, e.g. 0.05. */
  readonly alpha: number;
  /**
   * Comparisons that are made together. Each gets alpha / comparisons (Bonferroni). Holm's steps would find a little more,
   * but have no intervals of their own: here an interval holds 0 exactly where the verdict is a tie, and all of them hold the
   * truth together. The bound needs no independence, and arms that share a baseline have none.
   */
  readonly comparisons: number;
  /** False: arm[i] and baseline[i] had different seeds, and no more in common than any other two. */
  readonly paired?: boolean;
}

/**
 * Compares two arms over common seeds: arm[i] and baseline[i] share seed i, so what a seed adds to both cancels. Student's t on
 * the differences, or Welch's on the two samples where they are not paired; where in some seed just one of the two diverged
 * there is no difference to average, and the seeds' signs are tested instead (of arms that are not paired, the signs of any
 * one-to-one pairing are as good). The order of seeds does not matter, to the bit. RangeError where the lengths differ.
 */
export function compare(
  arm: readonly (number | null)[],
  baseline: readonly (number | null)[],
  { alpha, comparisons, paired = true }: ComparisonOptions,
): Comparison {
  if (arm.length !== baseline.length) throw new RangeError("arms are compared over the same seeds");
  const pairs: (readonly [number, number])[] = [];
  const diverged = { arm: 0, baseline: 0, both: 0 };
  for (const [i, loss] of arm.entries()) {
    const other = baseline[i]!;
    if (loss !== null && other !== null) pairs.push([loss, other]);
    else diverged[loss !== null ? "baseline" : other !== null ? "arm" : "both"]++;
  }
  const level = alpha / comparisons;
  const differences = pairs.map(([loss, other]) => loss - other);
  const outcome =
    diverged.arm + diverged.baseline > 0
      ? bySigns(differences, diverged, level)
      : differences.length < 2
        ? UNKNOWN
        : paired
          ? byMean(ofDifferences(differences), level)
          : byMean(ofSamples(...unzip(pairs)), level);
  return {
    mean: differences.length === 0 ? null : mean(differences),
    ...outcome,
    pValue: Math.min(1, outcome.pValue * comparisons),
    diverged,
  };
}

/** pValue: of this comparison alone. `mean` where it is not that of the differences. */
type Outcome = Pick<Comparison, "interval" | "pValue" | "verdict" | "moreSeeds"> & { readonly mean?: number };

const UNKNOWN: Outcome = { interval: null, pValue: 1, verdict: "tied", moreSeeds: null };

/** A mean difference: its standard error is deviation / sqrt(n), with degrees times n - 1 degrees of freedom. */
interface Estimate {
  readonly difference: number;
  readonly deviation: number;
  readonly degrees: number;
  readonly n: number;
}

const ofDifferences = (differences: readonly number[]): Estimate => ({
  difference: mean(differences),
  deviation: Math.sqrt(variance(differences)),
  degrees: 1,
  n: differences.length,
});

/** Welch's, for samples of one size (Welch 1947, with Satterthwaite's degrees of freedom). */
function ofSamples(arm: readonly number[], baseline: readonly number[]): Estimate {
  const [a, b] = [variance(arm), variance(baseline)];
  return {
    difference: mean(arm) - mean(baseline),
    deviation: Math.sqrt(a + b),
    degrees: a + b === 0 ? 2 : (a + b) ** 2 / (a * a + b * b),
    n: arm.length,
  };
}

const unzip = (pairs: readonly (readonly [number, number])[]): [number[], number[]] => [
  pairs.map(([loss]) => loss),
  pairs.map(([, other]) => other),
];

function byMean({ difference, deviation, degrees, n }: Estimate, level: number): Outcome {
  const halfOf = (seeds: number) => (tCritical(level, degrees * (seeds - 1)) * deviation) / Math.sqrt(seeds);
  const half = halfOf(n);
  const t = difference === 0 ? 0 : Math.abs(difference) / (deviation / Math.sqrt(n));
  const verdict = difference < -half ? "better" : difference > half ? "worse" : "tied";
  const wouldDo = (seeds: number) => halfOf(seeds) < Math.abs(difference);
  return {
    mean: difference,
    interval: [difference - half, difference + half],
    pValue: 2 * tTail(t, degrees * (n - 1)),
    verdict,
    moreSeeds: verdict === "tied" ? moreThan(n, wouldDo) : null,
  };
}

/** The sign test, with a divergence worse than any loss. */
function bySigns(differences: readonly number[], diverged: Comparison["diverged"], level: number): Outcome {
  const better = differences.filter((difference) => difference < 0).length + diverged.baseline;
  const worse = differences.filter((difference) => difference > 0).length + diverged.arm;
  const n = better + worse;
  const seeds = differences.length + diverged.arm + diverged.baseline + diverged.both;
  // Always one and never the other: of two alike arms, each seed does so with p (1 - p) <= 1/4, not the 1/2 of a sign.
  const apart = diverged.arm === seeds || diverged.baseline === seeds;
  const p = (wins: number, count: number) => (apart ? 2 * 4 ** -count : signTest(wins, count));
  const pValue = p(better, n);
  const verdict = pValue > level ? "tied" : better > worse ? "better" : "worse";
  const wouldDo = (count: number) => p(Math.round((Math.max(better, worse) / n) * count), count) <= level;
  return { interval: null, pValue, verdict, moreSeeds: verdict === "tied" ? moreThan(n, wouldDo) : null };
}

/** How many more than n it takes, by halving; null where MOST_SEEDS are too few. */
function moreThan(n: number, wouldDo: (seeds: number) => boolean): number | null {
  if (n >= MOST_SEEDS || !wouldDo(MOST_SEEDS)) return null;
  let low = n;
  let high = MOST_SEEDS;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (wouldDo(middle)) high = middle;
    else low = middle;
  }
  return high - n;
}
