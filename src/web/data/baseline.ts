import { type Comparison, compare } from "../../core/statistics/paired.js";
import { halfWidth, mean } from "../../core/statistics/sample.js";
import { type Run, TERMINAL_STATUSES } from "../../schemas/run.js";
import type { Field, Grouped } from "./run-fields.js";

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
  /** Minus the baseline, over the pairs that there are; null: of the baseline itself, or where there is none. */
  readonly difference: (Comparison & { readonly pairs: number }) | null;
}

/**
 * Each group's validation losses beside the baseline's, in pairs that are alike but for what makes the groups: of groups over
 * seeds by seed, of groups by schedule by rate and seed. `fields`: those that tell the runs apart.
 */
export function compareGroups(
  runs: readonly Run[],
  fields: readonly Field[],
  groups: readonly Grouped[],
  baseline: number,
): ComparedGroup[] {
  const varying = fields.filter(({ values }) =>
    groups.some(({ members }) => new Set(members.map((i) => values[i]!)).size > 1),
  );
  const byKey = groups.map(({ members }) => lossesByKey(runs, varying, members));
  const comparisons = Math.max(1, groups.length - 1);
  return groups.map((_, g) => {
    const own = byKey[g]!;
    const losses = [...own.values()];
    const known = losses.filter((loss) => loss !== null);
    const keys = [...own.keys()].filter((key) => byKey[baseline]!.has(key));
    const sides = [own, byKey[baseline]!].map((side) => keys.map((key) => side.get(key)!));
    const half = halfWidth(known, ALPHA);
    return {
      finished: losses.length,
      diverged: losses.length - known.length,
      mean: known.length === 0 ? null : mean(known),
      half: Number.isNaN(half) ? null : half,
      difference:
        g === baseline || keys.length === 0
          ? null
          : { ...compare(sides[0]!, sides[1]!, { alpha: ALPHA, comparisons }), pairs: keys.length },
    };
  });
}

/** Validation losses of runs that are over, by what they have in common with runs of other groups; null: diverged. */
function lossesByKey(
  runs: readonly Run[],
  fields: readonly Field[],
  members: readonly number[],
): Map<string, number | null> {
  const losses = new Map<string, number | null>();
  for (const i of members) {
    const { status, result } = runs[i]!;
    if (result === null || !TERMINAL_STATUSES.includes(status)) continue;
    // Runs that are alike in all are told apart by their order.
    const values = fields.map((field) => field.values[i]!);
    let twin = 0;
    while (losses.has(JSON.stringify([values, twin]))) twin++;
    losses.set(JSON.stringify([values, twin]), result.finalValidationLoss);
  }
  return losses;
}
