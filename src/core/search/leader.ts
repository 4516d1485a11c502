import type { Trial } from "../../schemas/stored-search.js";
import { mean } from "../statistics/sample.js";
import type { Standing } from "./race.js";
import type { SearchConfig } from "./state.js";
import type { Survey } from "./survey.js";
import { Trials } from "./trials.js";

export interface Leader {
  readonly standing: Standing;
  /** The fresh seeds by which all others are compared with it, as far as they have them. */
  readonly seeds: readonly number[];
}

/**
 * The verified candidate with the lowest mean loss over its fresh seeds, among those that were given the most of them: more
 * are given to whoever could not be told from the first. Should one with fewer look better by those that it has, all are
 * compared by the seeds that all have: the first one's loss is the lowest. null: none is verified, or all diverged.
 */
export function leaderOf(config: SearchConfig, trials: readonly Trial[], { standings }: Survey): Leader | null {
  const done = new Trials(trials);
  const verified = standings.filter(({ verifiedBy }) => verifiedBy.length > 0);
  const lossBy = (seeds: readonly number[], { candidate, lr }: Standing) =>
    mean(done.losses({ candidate, lr: lr!, steps: config.steps }, seeds)!);
  const first = (seeds: readonly number[]): Leader | null => {
    const all = verified.filter(({ verifiedBy }) => verifiedBy.length >= seeds.length);
    const losses = all.map((standing) => lossBy(seeds, standing));
    const lowest = Math.min(...losses);
    return Number.isFinite(lowest) ? { standing: all[losses.indexOf(lowest)]!, seeds } : null;
  };
  const lists = verified.map(({ verifiedBy }) => verifiedBy).sort((a, b) => a.length - b.length);
  const leader = first(lists.at(-1) ?? []);
  if (leader === null) return null;
  const isBetter = (each: Standing) => lossBy(each.verifiedBy, each) < lossBy(each.verifiedBy, leader.standing);
  return verified.some(isBetter) ? first(lists[0]!) : leader;
}
