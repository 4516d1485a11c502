import type { ScheduleType } from "../../schemas/schedule.js";

/** What a schedule's missing parameters are filled in from. */
export interface ScheduleContext {
  /** Steps of the run. */
  readonly steps: number;
  /** [low, high] of the request; high is where a schedule starts or peaks, low is where it ends or its floor. */
  readonly lrRange: readonly [number, number];
}

type Given = Readonly<Record<string, unknown>>;

/** A default that depends on the run or on what else is given, with the words that tell of it. */
export interface RunDefault {
  readonly says: string;
  of(context: ScheduleContext, given: Given): unknown;
}

const low: RunDefault = { says: "low end of lrRange", of: ({ lrRange }) => lrRange[0] };
const high: RunDefault = { says: "high end of lrRange", of: ({ lrRange }) => lrRange[1] };
const middle: RunDefault = {
  says: "geometric mean of lrRange",
  of: ({ lrRange }) => Math.sqrt(lrRange[0] * lrRange[1]),
};
const runSteps: RunDefault = { says: "the run's steps", of: ({ steps }) => steps };
const part = (share: number, least = 1): RunDefault => ({
  says: `${share * 100}% of the run's steps`,
  of: ({ steps }) => Math.max(least, Math.floor(steps * share)),
});
const milestones: RunDefault = {
  says: "half and three quarters of the run's steps",
  of: ({ steps }) => [Math.floor(steps * 0.5), Math.floor(steps * 0.75)],
};
const decay: RunDefault = {
  says: "low end over high end of lrRange",
  of: ({ lrRange: [from, to] }) => from / to,
};
const decayPerStep: RunDefault = {
  says: "falls from high to low end of lrRange in the run",
  of: ({ steps, lrRange: [from, to] }) => (from / to) ** (1 / Math.max(1, steps - 1)),
};
const same = (name: string): RunDefault => ({ says: `as ${name}`, of: (_context, given) => given[name] });
const every: RunDefault = part(0.01);

const torch = { lr: high };
const hfWarmed = { lr: high, numTrainingSteps: runSteps };
const optaxWarmed = { peakValue: high, warmupSteps: part(0.1, 0) };
const cycle = { baseLr: low, maxLr: high, stepSizeUp: part(1 / 8), stepSizeDown: same("stepSizeUp") };

/**
 * Defaults that depend on the run, in the order in which they are worked out; fixed ones are in the schemas. This is the
 * table of what lrRange means for every type.
 */
export const RUN_DEFAULTS: { readonly [T in ScheduleType]: Readonly<Record<string, RunDefault>> } = {
  constant: { lr: high },
  linear: { start: high, end: low, steps: runSteps },
  step: {
    lr: high,
    stepSize: {
      says: "75% of the run's steps, unless milestones are given",
      of: (context, given) => (given.milestones === undefined ? part(0.75).of(context, given) : undefined),
    },
    gamma: {
      says: "low end over high end of lrRange; 0.1 where milestones are given",
      of: (context, given) => (given.milestones === undefined ? decay.of(context, given) : 0.1),
    },
  },
  "multi-step": {
    lr: high,
    milestones,
    gamma: {
      says: "square root of low end over high end of lrRange",
      of: ({ lrRange }) => Math.sqrt(lrRange[0] / lrRange[1]),
    },
  },
  exponential: { lr: high, gamma: decayPerStep },
  polynomial: { start: high, end: low, steps: runSteps },
  "inverse-time": {
    lr: high,
    rate: { says: "reaches the low end of lrRange in decaySteps", of: ({ lrRange: [from, to] }) => to / from - 1 },
    decaySteps: runSteps,
  },
  "inverse-sqrt": {
    lr: high,
    timescale: {
      says: "reaches the low end of lrRange at the run's end",
      of: ({ steps, lrRange: [from, to] }) => (from < to ? steps / ((to / from) ** 2 - 1) : 1e12),
    },
  },
  "one-minus-sqrt": { start: high, end: low, steps: runSteps },
  tanh: { start: high, end: low, steps: runSteps },
  piecewise: {
    points: {
      says: "high end of lrRange, its geometric mean from 50% and its low end from 75% of the run's steps",
      of: (context, given) => [
        [0, context.lrRange[1]],
        [part(0.5).of(context, given), middle.of(context, given)],
        [(part(0.75).of(context, given) as number) + 1, context.lrRange[0]],
      ],
    },
  },
  cyclic: cycle,
  cosine: { lr: high, minLr: low, steps: runSteps },
  "cosine-warm-restarts": { lr: high, minLr: low, period: part(0.25) },
  "one-cycle": { initialLr: low, maxLr: high, finalLr: low, steps: runSteps },
  "warmup-stable-decay": {
    lr: high,
    startLr: low,
    endLr: low,
    warmupSteps: part(0.1, 0),
    decaySteps: part(0.2, 0),
    stableSteps: {
      says: "what warm-up and decay leave of the run's steps",
      of: ({ steps }, given) => Math.max(0, steps - Number(given.warmupSteps) - Number(given.decaySteps)),
    },
  },
  noam: { lr: high, warmupSteps: part(0.1) },
  sweep: { start: low, end: high, steps: runSteps },
  lambda: { lr: high },
  multiplicative: { lr: high },
  sequential: {},
  chained: { lr: high },
  repeat: { period: part(0.25) },
  clamp: { min: low, max: high },
  warmup: { steps: part(0.1), start: low },
  override: {},
  "reduce-on-plateau": { lr: high, minLr: low, every },
  greedy: { lr: middle, minLr: low, maxLr: high, every },

  LambdaLR: torch,
  MultiplicativeLR: torch,
  StepLR: { lr: high, stepSize: part(0.75) },
  MultiStepLR: { lr: high, milestones },
  ConstantLR: torch,
  LinearLR: torch,
  ExponentialLR: { lr: high, gamma: decayPerStep },
  PolynomialLR: torch,
  CosineAnnealingLR: { lr: high, tMax: runSteps },
  CosineAnnealingWarmRestarts: { lr: high, t0: part(0.25) },
  CyclicLR: { baseLr: low, maxLr: high, stepSizeDown: same("stepSizeUp") },
  OneCycleLR: {
    maxLr: high,
    totalSteps: {
      says: "epochs * stepsPerEpoch, or the run's steps",
      of: ({ steps }, { epochs, stepsPerEpoch }) =>
        typeof epochs === "number" && typeof stepsPerEpoch === "number" ? epochs * stepsPerEpoch : steps,
    },
  },
  SequentialLR: torch,
  ChainedScheduler: torch,
  SWALR: { lr: high, swaLr: low },
  ReduceLROnPlateau: { lr: high, every },

  "hf/constant": { lr: high },
  "hf/constant_with_warmup": { lr: high },
  "hf/linear": hfWarmed,
  "hf/cosine": hfWarmed,
  "hf/cosine_with_restarts": hfWarmed,
  "hf/polynomial": hfWarmed,
  "hf/inverse_sqrt": {
    lr: high,
    timescale: {
      says: "numWarmupSteps, or 10000 where that is 0",
      of: (_context, given) => Number(given.numWarmupSteps) || 10_000,
    },
  },
  "hf/reduce_lr_on_plateau": { lr: high, every },
  "hf/cosine_with_min_lr": { ...hfWarmed, ...floorOfRange() },
  "hf/cosine_warmup_with_min_lr": { ...hfWarmed, ...floorOfRange() },
  "hf/warmup_stable_decay": {
    lr: high,
    numDecaySteps: part(0.2, 0),
    numStableSteps: {
      says: "what warm-up and decay leave of numTrainingSteps, or of the run's steps",
      of: ({ steps }, given) =>
        Number(given.numTrainingSteps ?? steps) - Number(given.numWarmupSteps) - Number(given.numDecaySteps),
    },
  },
  "hf/greedy": { lr: high, every },

  "optax/constant_schedule": { value: high },
  "optax/linear_schedule": { initValue: high, endValue: low, transitionSteps: runSteps },
  "optax/polynomial_schedule": { initValue: high, endValue: low, transitionSteps: runSteps },
  "optax/piecewise_constant_schedule": { initValue: high },
  "optax/piecewise_interpolate_schedule": { initValue: high },
  "optax/exponential_decay": { initValue: high, transitionSteps: runSteps, decayRate: decay },
  "optax/cosine_decay_schedule": { initValue: high, decaySteps: runSteps },
  "optax/linear_onecycle_schedule": { transitionSteps: runSteps, peakValue: high },
  "optax/cosine_onecycle_schedule": { transitionSteps: runSteps, peakValue: high },
  "optax/warmup_constant_schedule": optaxWarmed,
  "optax/warmup_cosine_decay_schedule": { ...optaxWarmed, decaySteps: runSteps },
  "optax/warmup_exponential_decay_schedule": { ...optaxWarmed, transitionSteps: runSteps, decayRate: decay },
  "optax/sgdr_schedule": {},
  "optax/join_schedules": {},
  "optax/reduce_on_plateau": { lr: high, every },
};

/** minLr where neither it nor minLrRate is given. */
function floorOfRange(): Readonly<Record<string, RunDefault>> {
  return {
    minLr: {
      says: "low end of lrRange, unless minLrRate is given",
      of: ({ lrRange }, given) => (given.minLrRate === undefined ? lrRange[0] : undefined),
    },
  };
}
