import type { Trial } from "../../schemas/stored-search.js";
import { mean } from "../statistics/sample.js";
import type { SearchConfig } from "./state.js";
import type { Standing, Survey } from "./survey.js";
import { Trials } from "./trials.js";

/**
 * The verified candidate with the lowest mean loss over its fresh seeds, among those that were given the most of them: more
 * are given to whoever could not be told from the first. null: none is verified, or all diverged.
 */
export function leaderOf(config: SearchConfig, trials: readonly Trial[], { standings }: Survey): Standing | null {
  const done = new Trials(trials);
  const most = Math.max(...standings.map(({ verifiedBy }) => verifiedBy.length));
  let leader: { standing: Standing; loss: number } | null = null;
  for (const standing of standings) {
    const { candidate, lr, verifiedBy } = standing;
    if (lr === null || verifiedBy.length < most || most === 0) continue;
    const loss = mean(done.losses({ candidate, lr, steps: config.steps }, verifiedBy)!);
    if (Number.isFinite(loss) && (leader === null || loss < leader.loss)) leader = { standing, loss };
  }
  return leader?.standing ?? null;
}
