import type { StoredOverview } from "../../src/schemas/overview.js";
import type { RunSpec } from "../../src/schemas/run.js";
import type { SearchSpec } from "../../src/schemas/search.js";
import { builtInDataset } from "../../src/store/built-in-dataset.js";
import type { Loop } from "../../src/store/contract.js";

/** A small run's spec, as the API would have stored it. */
export function runSpec(own: Partial<RunSpec> = {}): RunSpec {
  return {
    steps: 10,
    batchSize: 8,
    schedule: { type: "constant", lr: 0.1 },
    dataset: { name: "names", digest: builtInDataset().digest, limit: null },
    model: { contextLength: 3, embeddingDim: 2, hiddenSizes: [8], activation: "tanh", init: "scaled" },
    optimizer: { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 },
    seed: 1,
    replicas: 1,
    engine: "reference",
    evalEvery: 0,
    checkpointEvery: 0,
    from: null,
    stopOnDivergence: null,
    name: null,
    labels: [],
    ...own,
  };
}

export const searchSpec = (run: Partial<RunSpec> = {}): SearchSpec => ({
  steps: 100,
  schedules: [{ name: "constant", request: { type: "constant" }, family: null }],
  lrRange: [1e-3, 1],
  budget: 3000,
  seeds: 4,
  finders: false,
  guessLoss: 3.3,
  run: runSpec({ steps: 100, ...run }),
  settles: null,
  name: null,
  labels: [],
});

/** What lists show of a run without a step. */
export const OVERVIEW: StoredOverview = {
  ...{ from: 0, every: 1, loss: [], lr: [], smoothed: null, first: null, best: null },
  open: { steps: 0, rates: 0, finite: 0, sum: 0 },
  ema: { average: 0, count: 0 },
};

/** The state of a loop at its first step. */
export const LOOP: Loop = {
  step: 0,
  policy: null,
  lossSum: 0,
  divergence: { ema: { average: 0, count: 0 }, best: null, firstBadStep: null },
  diverged: null,
};
