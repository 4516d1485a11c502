import { ensemble, quantile } from "./ensemble.js";
import { type ArmSummary, everyArm, excessOver, fitMinimum, lastArms, summarize, type Trial } from "./search-fit.js";
import { SUGGESTION_METHODS, type SuggestionMethod, type Trace } from "./suggest.js";

/** What a search needs to know; `searchConfig` fills in the rest. */
export interface SearchConfig {
  /** [low, high], 0 < low < high: the answer lies within. */
  readonly lrRange: readonly [number, number];
  /** Budget of one arm: the steps of the training the rate is for. */
  readonly steps: number;
  /** The seeds used are seed, seed + 1, ..., the same for every arm: common random numbers. */
  readonly seed: number;
  /** Sweeps in the ensemble, and steps of each. */
  readonly replicas: number;
  readonly sweepSteps: number;
  /** Seeds of an arm at the low rungs. */
  readonly lowSeeds: number;
  /** Seeds of an arm at the full budget: first, and at most; they double while the interval is wider than `precision`. */
  readonly fullSeeds: number;
  readonly maxSeeds: number;
  /** Wanted width of the interval, decades. */
  readonly precision: number;
  /** Seeds with which the classic methods' suggestions are trained at the full budget; at most fullSeeds; 0: not trained. */
  readonly methodSeeds: number;
  /** Steps to train in all, at most; a stage that would exceed it is not opened, and the search ends. null: no limit. */
  readonly totalSteps: number | null;
}

export function searchConfig(
  required: Pick<SearchConfig, "lrRange" | "steps" | "seed"> & Partial<SearchConfig>,
): SearchConfig {
  return {
    replicas: 8,
    sweepSteps: 100,
    lowSeeds: 2,
    fullSeeds: 5,
    maxSeeds: 10,
    precision: 0.15,
    methodSeeds: 2,
    totalSteps: null,
    ...required,
  };
}

/** A run to make. sweep: exponential, inclusive, over lrRange, not stopped early; arm: constant lr. Ids are unique in a search. */
export type SearchTask =
  | { readonly id: string; readonly kind: "sweep"; readonly seed: number; readonly steps: number }
  | { readonly id: string; readonly kind: "arm"; readonly lr: number; readonly seed: number; readonly steps: number };

/** What a task gave. A sweep that met a loss that is not finite ends there; an arm that diverged has no validation loss. */
export type SearchResult =
  | { readonly id: string; readonly lr: readonly number[]; readonly loss: readonly number[] }
  | { readonly id: string; readonly validationLoss: number | null };

/** bracket: the sweeps; halving: low rungs; refine: full budget on a fine grid; confirm: its fitted minimum; methods; done. */
export type SearchStage = "bracket" | "halving" | "refine" | "confirm" | "methods" | "done";

/** Plain JSON. Same results in any order give the same later stages. */
export interface SearchState {
  readonly config: SearchConfig;
  readonly stage: SearchStage;
  /** Which low rung, in stage halving. */
  readonly rung: number;
  /** Seeds of an arm at the full budget, so far. */
  readonly fullSeeds: number;
  /** This stage's tasks that have no result yet. */
  readonly pending: readonly SearchTask[];
  readonly sweeps: readonly {
    readonly seed: number;
    readonly lr: readonly number[];
    readonly loss: readonly number[];
  }[];
  readonly trials: readonly Trial[];
  /** The rates of the current stage, ascending. */
  readonly candidates: readonly number[];
  /** Set once confirmed; stays null when every rate diverged. */
  readonly chosen: number | null;
  /** False when totalSteps ended the search early. */
  readonly complete: boolean;
}

export interface Regret {
  readonly method: SuggestionMethod;
  /** Median of the replicas' suggestions; null: no suggestion. */
  readonly lr: number | null;
  /** Mean paired excess of validation loss over the chosen rate at the full budget; null: no suggestion, or it diverged. */
  readonly regret: number | null;
  readonly diverged: boolean;
}

export interface SearchAnswer {
  readonly lr: number;
  /** 95 % confidence interval of the best rate over seeds. */
  readonly interval: readonly [number, number];
  /** Every rate trained, at each number of steps, ascending in steps, then rate. */
  readonly arms: readonly ArmSummary[];
  readonly regrets: readonly Regret[];
  /** Steps trained in all. */
  readonly stepsUsed: number;
  /** False when totalSteps ended the search before its last stage. */
  readonly complete: boolean;
}

/** Shares of the budget at the low rungs. */
const LOW_RUNGS = [0.1, 1 / 3] as const;
const COARSE_DECADES = 0.25;
const FINE_DECADES = 0.125;
/** The sweep's steepest point lies within this of the best rate: wide, as what it says is not to be trusted alone. */
const BRACKET_BELOW = 1.25;
const BRACKET_ABOVE = 0.75;

export function createSearch(config: SearchConfig): SearchState {
  const [low, high] = config.lrRange;
  if (!(low > 0 && high > low)) throw new RangeError("lrRange: 0 < low < high");
  if (!(config.steps >= 1 && config.replicas >= 1 && config.lowSeeds >= 1 && config.fullSeeds >= 1)) {
    throw new RangeError("search: at least one step, replica and seed");
  }
  const least = config.replicas * config.sweepSteps + firstRungSteps(config);
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
      if (lr === null) return { method, lr, regret: null, diverged: false };
      const regret = excessOver(state.trials, lr, chosen, config.steps);
      return { method, lr, regret, diverged: regret === null };
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
      const wider = extend(state, COARSE_DECADES);
      if (wider !== null) return train({ ...state, candidates: wider });
      if (bestIndex(armsOf(state)) < 0) return { ...state, stage: "done" };
      const candidates = survivors(state);
      return state.rung + 1 < LOW_RUNGS.length
        ? train({ ...state, rung: state.rung + 1, candidates })
        : train({ ...state, stage: "refine", candidates: grid(candidates[0]!, candidates.at(-1)!, FINE_DECADES) });
    }
    case "refine": {
      const wider = extend(state, FINE_DECADES);
      if (wider !== null) return train({ ...state, candidates: wider });
      if (bestIndex(armsOf(state)) < 0) return { ...state, stage: "done" };
      const { lr, interval } = fitMinimum(armsOf(state), state.config.lrRange);
      const { precision, maxSeeds } = state.config;
      if (Math.log10(interval[1] / interval[0]) > precision && state.fullSeeds < maxSeeds) {
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

/** The sweeps' steepest point, a decade either way; the whole range when the sweeps show none. */
function bracket({ config, sweeps }: SearchState): number[] {
  const [low, high] = config.lrRange;
  const { lr } = ensemble(sweeps).consensus.steep;
  if (lr === null) return grid(low, high, COARSE_DECADES);
  return grid(Math.max(low, lr * 10 ** -BRACKET_BELOW), Math.min(high, lr * 10 ** BRACKET_ABOVE), COARSE_DECADES);
}

/** Rates from low to high, evenly spaced in log, at most `decades` apart; rounded to 6 digits so that they read well. */
function grid(low: number, high: number, decades: number): number[] {
  const intervals = Math.ceil(Math.log10(high / low) / decades - 1e-6);
  if (intervals <= 0) return [tidy(low)];
  return Array.from({ length: intervals + 1 }, (_, i) => tidy(low * (high / low) ** (i / intervals)));
}

const tidy = (lr: number) => Number(lr.toPrecision(6));

/** When the best candidate is the outermost on a side where the range goes on: the candidates with two more there. Else null. */
function extend(state: SearchState, decades: number): number[] | null {
  const arms = armsOf(state);
  const best = bestIndex(arms);
  const { candidates } = state;
  const [low, high] = state.config.lrRange;
  const factor = 10 ** decades;
  // Where every arm diverged, the rate is too high for all.
  if (best === 0 || best === -1) {
    const more = [2, 1].map((k) => tidy(candidates[0]! / factor ** k)).filter((lr) => lr >= low);
    return more.length === 0 ? null : [...more, ...candidates];
  }
  if (best === candidates.length - 1) {
    const more = [1, 2].map((k) => tidy(candidates.at(-1)! * factor ** k)).filter((lr) => lr <= high);
    return more.length === 0 ? null : [...candidates, ...more];
  }
  return null;
}

/** Lowest mean; -1 when all diverged. */
function bestIndex(arms: readonly ArmSummary[]): number {
  let best = -1;
  for (const [i, arm] of arms.entries()) {
    if (arm.validationLoss !== null && (best < 0 || arm.validationLoss < arms[best]!.validationLoss!)) best = i;
  }
  return best;
}

/** The better half, as one stretch, and one more below: with more steps the best rate moves down. At least one has a loss. */
function survivors(state: SearchState): number[] {
  const arms = armsOf(state);
  const ranked = arms.map((_, i) => i).filter((i) => arms[i]!.validationLoss !== null);
  ranked.sort((a, b) => arms[a]!.validationLoss! - arms[b]!.validationLoss!);
  const kept = ranked.slice(0, Math.ceil(arms.length / 2));
  return state.candidates.slice(Math.max(0, Math.min(...kept) - 1), Math.max(...kept) + 1);
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
  const { methods } = ensemble(sweeps as readonly Trace[]);
  return SUGGESTION_METHODS.map((method) => {
    const { lrs } = methods[method];
    return { method, lr: lrs.length === 0 ? null : tidy(10 ** quantile(lrs.map(Math.log10), 0.5)) };
  });
}
