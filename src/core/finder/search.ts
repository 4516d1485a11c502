import { ensemble, quantile } from "./ensemble.js";
import { type ArmSummary, everyArm, excessOver, fitMinimum, lastArms, summarize } from "./search-fit.js";
import { bestIndex, extend, grid, survivors, tidy } from "./search-plan.js";
import type { Regret, SearchAnswer, SearchConfig, SearchResult, SearchState, SearchTask } from "./search-state.js";
import { SUGGESTION_METHODS, type SuggestionMethod } from "./suggest.js";

/** Shares of the budget at the low rungs. */
const LOW_RUNGS = [0.1, 1 / 3] as const;
const COARSE_DECADES = 0.25;
const FINE_DECADES = 0.125;
/** The sweep's steepest point lies within this of the best rate: wide, as what it says is not to be trusted alone. */
const BRACKET_BELOW = 1.25;
const BRACKET_ABOVE = 0.75;

/** Steps below which a limit on them leaves no room for the sweeps and the first rung. */
export function leastSteps(config: SearchConfig): number {
  return config.replicas * config.sweepSteps + firstRungSteps(config);
}

export function createSearch(config: SearchConfig): SearchState {
  const [low, high] = config.lrRange;
  if (!(low > 0 && high > low)) throw new RangeError("lrRange: 0 < low < high");
  if (!(config.steps >= 1 && config.replicas >= 1 && config.lowSeeds >= 1 && config.fullSeeds >= 1)) {
    throw new RangeError("search: at least one step, replica and seed");
  }
  const least = leastSteps(config);
  if (config.totalSteps !== null && config.totalSteps < least) throw new RangeError(`totalSteps: at least ${least}`);
  const pending = seeds(config.replicas, config).map(
    (seed): SearchTask => ({ id: `sweep-${seed}`, kind: "sweep", seed, steps: config.sweepSteps }),
  );
  return {
    config,
    stage: "bracket",
    rung: 0,
    fullSeeds: config.fullSeeds,
    pending,
    sweeps: [],
    trials: [],
    candidates: [],
    chosen: null,
    complete: true,
  };
}

/** What the first low rung can cost: its grid over the whole range. */
function firstRungSteps(config: SearchConfig): number {
  const [low, high] = config.lrRange;
  return grid(low, high, COARSE_DECADES).length * config.lowSeeds * rungSteps(config, LOW_RUNGS[0]);
}

/** All tasks that can run now, in any order and at once; empty when the search is done. */
export function nextTasks(state: SearchState): readonly SearchTask[] {
  return state.pending;
}

/** Adds a result; the stage's last one opens the next stage. A result for a task that is not pending changes nothing. */
export function record(state: SearchState, result: SearchResult): SearchState {
  const task = state.pending.find(({ id }) => id === result.id);
  if (task === undefined) return state;
  const pending = state.pending.filter(({ id }) => id !== result.id);
  let next: SearchState;
  if (task.kind === "sweep") {
    if (!("loss" in result)) throw new TypeError(`${task.id}: a sweep's result has lr and loss`);
    const sweep = { seed: task.seed, lr: result.lr, loss: result.loss };
    next = { ...state, pending, sweeps: [...state.sweeps, sweep].sort((a, b) => a.seed - b.seed) };
  } else {
    if (!("validationLoss" in result)) throw new TypeError(`${task.id}: an arm's result has validationLoss`);
    const { validationLoss } = result;
    const loss = validationLoss !== null && Number.isFinite(validationLoss) ? validationLoss : null;
    next = { ...state, pending, trials: [...state.trials, { lr: task.lr, seed: task.seed, steps: task.steps, loss }] };
  }
  while (next.pending.length === 0 && next.stage !== "done") next = advance(next);
  return next;
}

/** null until the search is done, and when it is done because every rate diverged. */
export function answer(state: SearchState): SearchAnswer | null {
  const { config, chosen } = state;
  if (state.stage !== "done" || chosen === null) return null;
  const { interval } = fitMinimum(lastArms(state.trials), config.lrRange);
  return {
    lr: chosen,
    interval: [Math.min(interval[0], chosen), Math.max(interval[1], chosen)],
    arms: everyArm(state.trials),
    regrets: methodRates(state).map(({ method, lr }): Regret => {
      const trained = state.trials.filter((trial) => trial.lr === lr && trial.steps === config.steps);
      const regret = lr === null ? null : excessOver(state.trials, lr, chosen, config.steps);
      return { method, lr, regret, diverged: trained.some((trial) => trial.loss === null) };
    }),
    stepsUsed: stepsUsed(state),
    complete: state.complete,
  };
}

/** A sweep or arm that diverged counts in full, which it cost at most. */
function stepsUsed({ config, sweeps, trials }: SearchState): number {
  return sweeps.length * config.sweepSteps + trials.reduce((sum, trial) => sum + trial.steps, 0);
}

/** Called when the stage's tasks all have results. */
function advance(state: SearchState): SearchState {
  switch (state.stage) {
    case "bracket":
      return train({ ...state, stage: "halving", candidates: bracket(state) });
    case "halving": {
      const wider = extend(armsOf(state), state.config.lrRange, COARSE_DECADES);
      if (wider !== null) return train({ ...state, candidates: wider });
      if (bestIndex(armsOf(state)) < 0) return { ...state, stage: "done" };
      const candidates = survivors(armsOf(state));
      return state.rung + 1 < LOW_RUNGS.length
        ? train({ ...state, rung: state.rung + 1, candidates })
        : train({ ...state, stage: "refine", candidates: grid(candidates[0]!, candidates.at(-1)!, FINE_DECADES) });
    }
    case "refine": {
      const wider = extend(armsOf(state), state.config.lrRange, FINE_DECADES);
      if (wider !== null) return train({ ...state, candidates: wider });
      if (bestIndex(armsOf(state)) < 0) return { ...state, stage: "done" };
      const { lr, decades } = fitMinimum(armsOf(state), state.config.lrRange);
      const { precision, maxSeeds } = state.config;
      if (decades > precision && state.fullSeeds < maxSeeds) {
        return train({ ...state, fullSeeds: Math.min(maxSeeds, 2 * state.fullSeeds) });
      }
      return train({ ...state, stage: "confirm", candidates: [lr] });
    }
    case "confirm":
      return train({ ...state, stage: "methods", chosen: choose(state), candidates: [] });
    default:
      return { ...state, stage: "done" };
  }
}

const seeds = (count: number, { seed }: SearchConfig) => Array.from({ length: count }, (_, i) => (seed + i) % 2 ** 32);

/** Opens the stage's tasks, leaving out those trained before. */
function train(state: SearchState): SearchState {
  const { stage, trials } = state;
  const wanted = stage === "methods" ? methodRates(state).flatMap(({ lr }) => lr ?? []) : state.candidates;
  const steps = stepsOf(state);
  const pending: SearchTask[] = [];
  const known = new Set(trials.map(armId));
  for (const lr of wanted) {
    for (const seed of seeds(seedsOf(state), state.config)) {
      const id = armId({ lr, seed, steps });
      if (known.has(id)) continue;
      known.add(id);
      pending.push({ id, kind: "arm", lr, seed, steps });
    }
  }
  const { totalSteps, lrRange } = state.config;
  if (totalSteps !== null && stepsUsed(state) + pending.length * steps > totalSteps) {
    const arms = lastArms(trials);
    const chosen = state.chosen ?? (bestIndex(arms) < 0 ? null : fitMinimum(arms, lrRange).lr);
    return { ...state, stage: "done", chosen, complete: false };
  }
  return { ...state, pending };
}

/** Shortest decimal of the rate, so equal ids are equal arms. */
function armId({ lr, seed, steps }: { lr: number; seed: number; steps: number }): string {
  return `arm-${lr}-${steps}-${seed}`;
}

function stepsOf({ config, stage, rung }: SearchState): number {
  return stage === "halving" ? rungSteps(config, LOW_RUNGS[rung]!) : config.steps;
}

function rungSteps({ steps }: SearchConfig, share: number): number {
  return Math.max(1, Math.round(steps * share));
}

function seedsOf({ stage, config, fullSeeds }: SearchState): number {
  if (stage === "halving") return config.lowSeeds;
  return stage === "methods" ? Math.min(config.methodSeeds, fullSeeds) : fullSeeds;
}

function armsOf(state: SearchState): ArmSummary[] {
  return summarize(state.trials, state.candidates, stepsOf(state), seeds(seedsOf(state), state.config));
}

/** Rates around the sweeps' steepest point; the whole range when the sweeps show none. */
function bracket({ config, sweeps }: SearchState): number[] {
  const [low, high] = config.lrRange;
  const { lr } = ensemble(sweeps).consensus.steep;
  if (lr === null) return grid(low, high, COARSE_DECADES);
  return grid(Math.max(low, lr * 10 ** -BRACKET_BELOW), Math.min(high, lr * 10 ** BRACKET_ABOVE), COARSE_DECADES);
}

/** The fitted minimum, unless trained it proved worse than the best of the grid by more than the noise of the difference. */
function choose(state: SearchState): number {
  const arms = lastArms(state.trials);
  const best = arms[bestIndex(arms)]!;
  const fitted = state.candidates[0]!;
  const arm = arms.find(({ lr }) => lr === fitted);
  if (arm === undefined || arm.validationLoss === null) return best.lr;
  const differences = arm.losses.map((loss, i) => loss! - best.losses[i]!);
  const mean = differences.reduce((sum, d) => sum + d, 0) / differences.length;
  const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / Math.max(1, differences.length - 1);
  return mean > 2 * Math.sqrt(variance / differences.length) ? best.lr : fitted;
}

/** The median of each classic method's suggestions over the sweeps. */
function methodRates({ sweeps }: SearchState): { method: SuggestionMethod; lr: number | null }[] {
  const { methods } = ensemble(sweeps);
  return SUGGESTION_METHODS.map((method) => {
    const { lrs } = methods[method];
    return { method, lr: lrs.length === 0 ? null : tidy(10 ** quantile(lrs.map(Math.log10), 0.5)) };
  });
}
