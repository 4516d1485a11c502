import { Rng } from "../../../src/core/rng.js";
import { rungsOf } from "../../../src/core/search/rates.js";
import { createSearch, withResult } from "../../../src/core/search/search.js";
import type { SearchConfig, SearchResult, SearchState } from "../../../src/core/search/state.js";
import type { RunSpec } from "../../../src/schemas/run.js";
import type { SearchTask } from "../../../src/schemas/stored-search.js";

/** A schedule's losses: a parabola in the log of the rate about a minimum that a power law moves, up to a cliff. */
export interface Law {
  /** Nats at the minimum of the horizon. */
  readonly loss: number;
  /** log10 of the best rate at the horizon, and by how much it falls for each decade of steps. */
  readonly log: number;
  readonly slope: number;
  /** Nats for a decade off. */
  readonly curvature: number;
  /** Decades above the best rate from where on trainings diverge. */
  readonly cliff: number;
  /** Another basin, which opens towards the horizon: its loss there, and by how many decades higher its best rate lies. */
  readonly other: { readonly loss: number; readonly above: number } | null;
}

export const law = (own: Partial<Law> = {}): Law => ({
  loss: 2.2,
  log: -1,
  slope: -0.23,
  curvature: 0.3,
  cliff: 1.1,
  other: null,
  ...own,
});

/** Standard deviations, nats: of what a seed does to all arms alike, and to each its own way. */
export interface Noise {
  readonly common: number;
  readonly own: number;
}

const HORIZON = 3000;
const AGES = 0.15;
const OPENS = 0.2;

export function configFor(laws: readonly Law[], own: Partial<SearchConfig> = {}): SearchConfig {
  return {
    steps: HORIZON,
    rungs: rungsOf(HORIZON),
    lrRange: [1e-4, 10],
    candidates: laws.map((_, i) => ({ name: `schedule ${i}`, request: { type: "constant" as const }, family: null })),
    seed: 7,
    budget: 160 * HORIZON,
    verifyingSeeds: 4,
    guessLoss: Math.log(27),
    finders: false,
    ...own,
  };
}

/** The mean over all seeds; Infinity beyond the cliff. */
export function trueLoss({ loss, log, slope, curvature, cliff, other }: Law, lr: number, steps: number): number {
  const decades = Math.log10(steps / HORIZON);
  const off = Math.log10(lr) - (log + slope * decades);
  if (off > cliff) return Number.POSITIVE_INFINITY;
  const own = loss + curvature * off ** 2;
  const higher = other === null ? own : other.loss - OPENS * decades + curvature * (off - other.above) ** 2;
  return Math.min(own, higher) - AGES * decades;
}

export function resultFor(laws: readonly Law[], noise: Noise, task: SearchTask): SearchResult {
  if (task.kind === "sweep") {
    const lr = Array.from({ length: task.steps }, (_, i) => 1e-4 * 1e5 ** (i / task.steps));
    const loss = lr.map((rate) => 3.3 - Math.min(1, rate) + Math.max(0, rate - 1));
    return { id: task.id, sweeps: task.seeds.map((seed) => ({ seed, lr, loss })) };
  }
  const { id, candidate, lr, steps, seeds } = task;
  const losses = seeds.map((seed) => {
    const loss = trueLoss(laws[candidate]!, lr, steps);
    const own = new Rng(seed, 1000 * candidate + Math.round(100 * Math.log10(lr)) + steps);
    return Number.isFinite(loss) ? loss + noise.common * new Rng(seed, 1).normal() + noise.own * own.normal() : null;
  });
  return { id, losses };
}

export const QUIET: Noise = { common: 0.01, own: 0.002 };

/** Searches to the end. `each` sees every state, and may give another to go on from; `next` picks the task to be done. */
export function search(
  laws: readonly Law[],
  config: SearchConfig = configFor(laws),
  {
    noise = QUIET,
    each = (state) => state,
    next = () => 0,
  }: {
    noise?: Noise;
    each?: (state: SearchState) => SearchState;
    next?: (pending: readonly SearchTask[]) => number;
  } = {},
): SearchState {
  let state = each(createSearch(config));
  while (state.stage !== "done") {
    const task = state.pending[next(state.pending)]!;
    state = each(withResult(state, resultFor(laws, noise, task)));
  }
  return state;
}

/** Of which an answer takes what the winner's request repeats. */
export const RUN = {
  steps: HORIZON,
  batchSize: 32,
  dataset: { name: "names", digest: "", limit: null },
  model: {},
  optimizer: {},
  engine: "auto",
} as unknown as RunSpec;
