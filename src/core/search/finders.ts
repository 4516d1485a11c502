import type { SearchTask } from "../../schemas/stored-search.js";
import { SUGGESTION_METHODS, type SuggestionMethod } from "../../schemas/suggestions.js";
import { ensemble, quantile } from "../finder/ensemble.js";
import { mean } from "../statistics/sample.js";
import { leaderOf } from "./leader.js";
import type { SearchState } from "./state.js";
import type { Survey } from "./survey.js";
import { Trials } from "./trials.js";

/** Of the range test that the classic finders see; one run trains them all. */
export const SWEEP_SEEDS = 8;
const SWEEPS = { seeds: SWEEP_SEEDS, steps: 100 } as const;
/** Steps of the sweeps together. */
export const SWEEP_STEPS = SWEEPS.seeds * SWEEPS.steps;
/** Of the winner's verifying seeds, those that a suggested rate is trained with. */
const SEEDS = 2;

/** What a library's finder suggests, and what following it would cost, in the winning schedule. */
export interface Regret {
  readonly method: SuggestionMethod;
  /** Median of the sweeps' suggestions; null: no suggestion. */
  readonly lr: number | null;
  /** Mean paired excess of validation loss over the winner, nats; null: not trained, or it diverged. */
  readonly regret: number | null;
  readonly diverged: boolean;
}

/** The sweeps first; then the rates that they suggest, as far as the budget goes. */
export function finderTasks({ config, trials, sweeps }: SearchState, survey: Survey): SearchTask[] {
  const winner = leaderOf(config, trials, survey);
  if (!config.finders || winner === null) return [];
  const done = new Trials(trials);
  const left = config.budget - done.stepsUsed - SWEEP_STEPS;
  if (left < 0) return [];
  if (sweeps.length === 0) {
    const seeds = Array.from({ length: SWEEPS.seeds }, (_, i) => (config.seed + i) % 2 ** 32);
    return [{ id: "sweep", kind: "sweep", steps: SWEEPS.steps, seeds }];
  }
  const { candidate } = winner.standing;
  let spent = 0;
  const tasks = new Map<string, SearchTask>();
  for (const { lr } of suggestedRates({ sweeps })) {
    if (lr === null) continue;
    const seeds = done.missing({ candidate, lr, steps: config.steps }, winner.seeds.slice(0, SEEDS));
    const id = `arm-${candidate}-${lr}-${config.steps}-${seeds.join(",")}`;
    if (seeds.length === 0 || tasks.has(id)) continue;
    spent += seeds.length * config.steps;
    if (spent > left) break;
    tasks.set(id, { id, kind: "arm", candidate, lr, steps: config.steps, seeds });
  }
  return [...tasks.values()];
}

/** Whether the budget has left none of it out. */
export function areFindersTrained({ config, trials, sweeps }: SearchState, survey: Survey): boolean {
  const winner = leaderOf(config, trials, survey);
  if (!config.finders || winner === null) return true;
  const done = new Trials(trials);
  const isTrained = (lr: number) => {
    const place = { candidate: winner.standing.candidate, lr, steps: config.steps };
    return done.missing(place, winner.seeds.slice(0, SEEDS)).length === 0;
  };
  return sweeps.length > 0 && suggestedRates({ sweeps }).every(({ lr }) => lr === null || isTrained(lr));
}

/** Empty before the sweeps, and without a verified winner. */
export function regretsOf({ config, trials, sweeps }: SearchState, survey: Survey): Regret[] {
  const winner = leaderOf(config, trials, survey);
  if (sweeps.length === 0 || winner === null) return [];
  const done = new Trials(trials);
  const { candidate, lr: winningRate } = winner.standing;
  const { steps } = config;
  const seeds = winner.seeds.slice(0, SEEDS);
  const best = mean(done.losses({ candidate, lr: winningRate!, steps }, seeds)!);
  return suggestedRates({ sweeps }).map(({ method, lr }) => {
    const losses = lr === null ? null : done.losses({ candidate, lr, steps }, seeds);
    const diverged = losses?.some((loss) => !Number.isFinite(loss)) ?? false;
    return { method, lr, regret: losses === null || diverged ? null : mean(losses) - best, diverged };
  });
}

/** The median of each method's suggestions over the sweeps, to three digits. */
function suggestedRates({ sweeps }: Pick<SearchState, "sweeps">): { method: SuggestionMethod; lr: number | null }[] {
  const { methods } = ensemble(sweeps);
  return SUGGESTION_METHODS.map((method) => {
    const { lrs } = methods[method];
    const lr = lrs.length === 0 ? null : Number((10 ** quantile(lrs.map(Math.log10), 0.5)).toPrecision(3));
    return { method, lr };
  });
}
