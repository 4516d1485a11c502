import { type Comparison, compare } from "../../core/statistics/paired.js";
import { halfWidth, mean } from "../../core/statistics/sample.js";
import { type Run, TERMINAL_STATUSES } from "../../schemas/run.js";
import type { Grouped } from "./run-fields.js";

/** All verdicts of a table together call a difference where there is none with at most this chance. */
export const ALPHA = 0.05;

export interface ComparedGroup {
  /** Runs that are over. */
  readonly finished: number;
  readonly diverged: number;
  /** Of those that have a validation loss; null: none has. */
  readonly mean: number | null;
  /** Half of the mean's interval at 1 - ALPHA; null of fewer than two. */
  readonly half: number | null;
  /** Minus the baseline, over the seeds that both have; null: of the baseline itself, or where no seed is common. */
  readonly difference: (Comparison & { readonly seeds: number }) | null;
}

/** Each group's validation losses beside the baseline's, seed by seed. */
export function compareGroups(runs: readonly Run[], groups: readonly Grouped[], baseline: number): ComparedGroup[] {
  const bySeed = groups.map(({ members }) => lossesBySeed(members.map((i) => runs[i]!)));
  const comparisons = Math.max(1, groups.length - 1);
  return groups.map((_, g) => {
    const own = bySeed[g]!;
    const losses = [...own.values()];
    const known = losses.filter((loss) => loss !== null);
    const seeds = [...own.keys()].filter((seed) => bySeed[baseline]!.has(seed));
    const sides = [own, bySeed[baseline]!].map((side) => seeds.map((seed) => side.get(seed)!));
    const half = halfWidth(known, ALPHA);
    return {
      finished: losses.length,
      diverged: losses.length - known.length,
      mean: known.length === 0 ? null : mean(known),
      half: Number.isNaN(half) ? null : half,
      difference:
        g === baseline || seeds.length === 0
          ? null
          : { ...compare(sides[0]!, sides[1]!, { alpha: ALPHA, comparisons }), seeds: seeds.length },
    };
  });
}

/** Validation losses of runs that are over; null: diverged. Of several with one seed the last counts. */
function lossesBySeed(runs: readonly Run[]): Map<number, number | null> {
  const losses = new Map<number, number | null>();
  for (const { spec, status, result } of runs) {
    if (result !== null && TERMINAL_STATUSES.includes(status)) losses.set(spec.seed, result.finalValidationLoss);
  }
  return losses;
}
