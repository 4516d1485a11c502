import { OPTIMIZERS } from "../schemas/optimizers.js";
import type { RunSpec } from "../schemas/run.js";
import type { SearchSpec } from "../schemas/search.js";
import type { ExperimentSpec } from "../schemas/stored-experiment.js";
import { endOf } from "./budget.js";
import { evaluationSeconds, stepCost } from "./cost.js";
import { affordable } from "./experiment/trainings.js";
import { type MemoryFacts, memoryBytes } from "./memory.js";
import { parameterCount } from "./model.js";
import { childSpec, configOf } from "./resolve-search.js";
import { createSearch, withResult } from "./search/search.js";
import type { SearchResult } from "./search/state.js";

/** Of one core, as it is assumed to be. Bytes are those that stay in Redis; memory is that of a worker, of the largest training. */
export interface Cost {
  readonly steps: number;
  readonly trainings: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly memory: number;
}

type Facts = MemoryFacts;

/** A run's hash, log and indexes, without its spec and metrics: as Redis 7 was seen to take. */
const RECORD_BYTES = 6000;
const FLOAT = 4;

/** `isChild`: only the validation split is evaluated at its end. */
export function runCost(spec: RunSpec, facts: Facts, isChild = false): Cost {
  const steps = endOf(spec) - (spec.from?.step ?? 0);
  const times = (every: number) => (every === 0 ? 0 : Math.floor(steps / every));
  const evaluations = { validation: 1 + times(spec.evalEvery), train: isChild ? 0 : 1 };
  const checkpoint =
    parameterCount(spec.model, facts.vocabSize) * (1 + OPTIMIZERS[spec.optimizer.type].slots) * FLOAT * spec.replicas;
  const perStep = 12 + (spec.replicas > 1 ? FLOAT * spec.replicas : 0);
  return {
    steps,
    trainings: 1,
    seconds: steps * stepCost(spec, facts).seconds + evaluationSeconds(spec, facts, evaluations),
    bytes:
      steps * perStep + checkpoint * (1 + times(spec.checkpointEvery)) + RECORD_BYTES + JSON.stringify(spec).length,
    memory: memoryBytes(spec, facts),
  };
}

export function experimentCost(spec: ExperimentSpec, facts: Facts): Cost {
  const trainings = affordable(spec);
  const each = spec.arms.map(({ run }, i) =>
    times(runCost(run, facts, true), trainings.filter(({ arm }) => arm === i).length),
  );
  return sum([...each, parentCost(spec)]);
}

/**
 * By playing the search through, with losses of the usual form in place of trainings: how many seeds a rate takes, and at
 * which horizons, depends on nothing else.
 */
export function searchCost(spec: SearchSpec, facts: Facts): Cost {
  let state = createSearch(configOf(spec));
  const costs: Cost[] = [parentCost(spec)];
  while (state.stage !== "done") {
    for (const task of state.pending) {
      const own = { schedule: spec.run.schedule, steps: task.steps, seed: 0, replicas: task.seeds.length };
      costs.push({ ...runCost(childSpec(spec.run, own), facts, true), trainings: task.seeds.length });
      state = withResult(state, usual(task, spec));
    }
  }
  const total = sum(costs);
  const steps = state.trials.reduce((trained, trial) => trained + trial.steps, 0);
  const sweeps = state.sweeps.reduce((trained, { lr }) => trained + lr.length, 0);
  return { ...total, steps: steps + sweeps };
}

type Task = ReturnType<typeof createSearch>["pending"][number];

/** A parabola over the decades of the rate, a little noise by seed, and divergence at some height. */
function usual(task: Task, { lrRange: [low, high], guessLoss }: SearchSpec): SearchResult {
  const best = Math.sqrt(low * high) * 10;
  const loss = (lr: number) => guessLoss * 0.7 + 0.1 * Math.log10(lr / best) ** 2;
  if (task.kind === "arm") {
    const noise = (seed: number) => (((seed * 7919) % 13) - 6) / 3000;
    return { id: task.id, losses: task.seeds.map((seed) => (task.lr > 5 * best ? null : loss(task.lr) + noise(seed))) };
  }
  const lr = Array.from({ length: task.steps }, (_, i) => low * (high / low) ** (i / task.steps));
  const falling = lr.map((rate) => (rate > 5 * best ? 3 * guessLoss : guessLoss - Math.min(1, rate / best)));
  return { id: task.id, sweeps: task.seeds.map((seed) => ({ seed, lr, loss: falling })) };
}

const parentCost = (spec: object): Cost => ({
  ...{ steps: 0, trainings: 0, seconds: 0, memory: 0 },
  bytes: RECORD_BYTES + JSON.stringify(spec).length,
});

const times = (cost: Cost, count: number): Cost => ({
  steps: cost.steps * count,
  trainings: cost.trainings * count,
  seconds: cost.seconds * count,
  bytes: cost.bytes * count,
  memory: cost.memory,
});

export function sum(costs: readonly Cost[]): Cost {
  return costs.reduce((a, b) => ({
    steps: a.steps + b.steps,
    trainings: a.trainings + b.trainings,
    seconds: a.seconds + b.seconds,
    bytes: a.bytes + b.bytes,
    memory: Math.max(a.memory, b.memory),
  }));
}
