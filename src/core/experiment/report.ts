import type { ArmRequest, Difference, ExperimentReport } from "../../schemas/experiment.js";
import { type Comparison, compare } from "../statistics/paired.js";
import { mean, meanInterval } from "../statistics/sample.js";

export interface ReportedArm {
  readonly name: string;
  readonly request: ArmRequest;
  /** Arms are paired where it is the same. */
  readonly seedOffset: number;
  /** Ids of its runs, by seed. */
  readonly runs: readonly string[];
}

/** Validation loss in nats; null: the training diverged; undefined: there is no result yet. */
export type Outcome = number | null | undefined;

export interface ReportOptions {
  readonly seeds: readonly number[];
  /** Index of an arm. */
  readonly baseline: number;
  readonly confidence: number;
  /** By all runs together. */
  readonly stepsUsed: number;
}

/**
 * What an experiment has found so far. losses[arm][seed]. Only seeds that every arm has finished count, so arms are compared
 * over the same seeds, whichever results came first. All verdicts together call a difference where there is none with a
 * chance of at most 1 - confidence; so does, separately, the set of `best` and `ties` leave out the truly best arm.
 */
export function reportExperiment(
  arms: readonly ReportedArm[],
  losses: readonly (readonly Outcome[])[],
  { seeds, baseline, confidence, stepsUsed }: ReportOptions,
): ExperimentReport {
  const finished = seeds
    .map((_, i) => i)
    .filter((i) => arms.every((_, arm) => losses[arm]?.[i] !== undefined))
    .toSorted((a, b) => seeds[a]! - seeds[b]!);
  const rows = arms.map((_, arm) => finished.map((i) => lossOf(losses[arm]![i])));
  const alpha = 1 - confidence;
  const comparisons = Math.max(1, arms.length - 1);
  const compared = (arm: number, other: number) =>
    compare(rows[arm]!, rows[other]!, {
      alpha,
      comparisons,
      paired: arms[arm]!.seedOffset === arms[other]!.seedOffset,
    });
  const reports = arms.map(({ name, request, seedOffset, runs }, arm) => {
    const known = rows[arm]!.flatMap((loss) => loss ?? []);
    return {
      name,
      seedOffset,
      request,
      runs: finished.flatMap((i) => runs[i] ?? []),
      losses: rows[arm]!,
      diverged: rows[arm]!.length - known.length,
      mean: known.length === 0 ? null : mean(known),
      interval: meanInterval(known, alpha),
      difference: arm === baseline ? null : differenceOf(compared(arm, baseline), rows[arm]!.length),
    };
  });
  const best = bestOf(reports);
  const ties = arms
    .map((_, arm) => arm)
    .filter((arm) => best !== null && arm !== best && compared(arm, best).verdict !== "worse");
  return {
    metric: "validationLoss",
    confidence,
    seeds: finished.map((i) => seeds[i]!),
    complete: finished.length === seeds.length,
    baseline,
    arms: reports,
    best,
    ties,
    stepsUsed,
  };
}

const lossOf = (outcome: Outcome) => (typeof outcome === "number" && Number.isFinite(outcome) ? outcome : null);

/** The first of those that diverged least often and then have the lowest mean. */
function bestOf(arms: readonly { readonly diverged: number; readonly mean: number | null }[]): number | null {
  let best: number | null = null;
  for (const [i, { diverged, mean }] of arms.entries()) {
    if (mean === null) continue;
    const leader = best === null ? null : arms[best]!;
    if (leader === null || diverged < leader.diverged || (diverged === leader.diverged && mean < leader.mean!))
      best = i;
  }
  return best;
}

function differenceOf(compared: Comparison, seeds: number): Difference {
  const { mean, interval, pValue, verdict, moreSeeds } = compared;
  return {
    mean,
    interval: interval === null ? null : [...interval],
    pValue,
    verdict,
    moreSeeds,
    text: verdictText(compared, seeds),
  };
}

/** A verdict in plain English. `seeds`: how many were compared. */
export function verdictText({ mean, interval, verdict, moreSeeds, diverged }: Comparison, seeds: number): string {
  if (verdict !== "tied") {
    if (interval !== null) return `${verdict} by ${plusMinus(Math.abs(mean!), (interval[1] - interval[0]) / 2)}`;
    return `${verdict} seed by seed: diverged in ${diverged.arm + diverged.both} of ${seeds}, the baseline in ${diverged.baseline + diverged.both}`;
  }
  if (seeds > 0 && diverged.both === seeds) return "cannot be told apart: both diverged with every seed";
  if (interval !== null && interval[0] === 0 && interval[1] === 0) return "the same loss with every seed";
  const more = `${moreSeeds} more seed${moreSeeds === 1 ? "" : "s"} would do`;
  if (moreSeeds !== null) return `cannot be told apart: ${more}`;
  return seeds - diverged.both < 2
    ? "cannot be told apart: too few seeds"
    : "cannot be told apart, not with 1,000 seeds either";
}

/** Both with as many decimals as the half width has with two significant digits. */
function plusMinus(value: number, half: number): string {
  const digits = half === 0 ? 6 : Math.min(12, Math.max(0, 1 - Math.floor(Math.log10(half))));
  return `${value.toFixed(digits)} +- ${half.toFixed(digits)}`;
}
