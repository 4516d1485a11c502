import type { NativeSpec, ScheduleOf } from "../../schemas/schedule.js";
import { buildFactor, recurrence } from "./factors.js";
import { cosine, oneCycle } from "./leaves.js";
import type { Schedule } from "./schedule.js";

/** PyTorch's classes as expressions over our own schedules; values and quirks as of 2.13, stepped one by one. */
export const TORCH_EXPRESSIONS = {
  LambdaLR: ({ lr, lrLambda }: ScheduleOf<"LambdaLR">): NativeSpec => ({ type: "lambda", lr, factor: lrLambda }),
  MultiplicativeLR: ({ lr, lrLambda }: ScheduleOf<"MultiplicativeLR">): NativeSpec => ({
    type: "multiplicative",
    lr,
    factor: lrLambda,
  }),
  StepLR: ({ lr, stepSize, gamma }: ScheduleOf<"StepLR">): NativeSpec => ({ type: "step", lr, stepSize, gamma }),
  MultiStepLR: ({ lr, milestones, gamma }: ScheduleOf<"MultiStepLR">): NativeSpec => ({
    type: "multi-step",
    lr,
    milestones,
    gamma,
  }),
  // With totalIters 0 PyTorch multiplies by the factor at step 0 and never takes it back; so does LinearLR below.
  ConstantLR: ({ lr, factor, totalIters }: ScheduleOf<"ConstantLR">): NativeSpec =>
    totalIters === 0
      ? { type: "constant", lr: lr * factor }
      : {
          type: "piecewise",
          points: [
            [0, lr * factor],
            [totalIters, lr],
          ],
          interpolation: "hold",
        },
  LinearLR: ({ lr, startFactor, endFactor, totalIters }: ScheduleOf<"LinearLR">): NativeSpec =>
    totalIters === 0
      ? { type: "constant", lr: lr * startFactor }
      : { type: "linear", start: lr * startFactor, end: lr * endFactor, steps: totalIters },
  ExponentialLR: ({ lr, gamma }: ScheduleOf<"ExponentialLR">): NativeSpec => ({
    type: "exponential",
    lr,
    gamma,
    decaySteps: 1,
    staircase: false,
  }),
  PolynomialLR: ({ lr, power, totalIters }: ScheduleOf<"PolynomialLR">): NativeSpec =>
    totalIters === 0 ? { type: "constant", lr } : { type: "polynomial", start: lr, end: 0, power, steps: totalIters },
  CosineAnnealingLR: ({ lr, etaMin, tMax }: ScheduleOf<"CosineAnnealingLR">): NativeSpec => ({
    type: "cosine",
    lr,
    minLr: etaMin,
    steps: tMax,
  }),
  CosineAnnealingWarmRestarts: (spec: ScheduleOf<"CosineAnnealingWarmRestarts">): NativeSpec => ({
    type: "cosine-warm-restarts",
    lr: spec.lr,
    minLr: spec.etaMin,
    period: spec.t0,
    growth: spec.tMult,
  }),
  CyclicLR: ({ baseLr, maxLr, stepSizeUp, stepSizeDown, mode, gamma }: ScheduleOf<"CyclicLR">): NativeSpec => ({
    type: "cyclic",
    baseLr,
    maxLr,
    stepSizeUp,
    stepSizeDown,
    mode,
    gamma,
  }),
  // PyTorch computes one step too many, where its last phase overshoots (below the final rate, when linear), then raises.
  OneCycleLR: (spec: ScheduleOf<"OneCycleLR">): NativeSpec => {
    const initialLr = spec.maxLr / spec.divFactor;
    const cycle: ScheduleOf<"one-cycle"> = {
      type: "one-cycle",
      initialLr,
      maxLr: spec.maxLr,
      finalLr: initialLr / spec.finalDivFactor,
      ...cycleShape(spec),
    };
    const { totalSteps } = spec;
    return { type: "override", schedule: cycle, rates: [[totalSteps, oneCycle(cycle, true)(totalSteps)]] };
  },
  SequentialLR: ({ schedulers, milestones }: ScheduleOf<"SequentialLR">): NativeSpec => ({
    type: "sequential",
    schedules: schedulers,
    milestones,
  }),
  SWALR: ({ lr, swaLr, annealEpochs, annealStrategy }: ScheduleOf<"SWALR">): NativeSpec =>
    annealEpochs === 0
      ? { type: "constant", lr: swaLr }
      : {
          type: "piecewise",
          points: [
            [0, lr],
            [annealEpochs, swaLr],
          ],
          interpolation: annealStrategy === "cos" ? "cosine" : "linear",
        },
} as const;

function cycleShape(spec: ScheduleOf<"OneCycleLR">) {
  return {
    steps: spec.totalSteps,
    pctStart: spec.pctStart,
    anneal: spec.annealStrategy,
    threePhase: spec.threePhase,
  };
}

/** The momentum of a OneCycleLR: down while the rate goes up, and back. */
export function oneCycleMomentum(spec: ScheduleOf<"OneCycleLR">): Schedule {
  const { baseMomentum, maxMomentum } = spec;
  const shape = { initialLr: maxMomentum, maxLr: baseMomentum, finalLr: maxMomentum, ...cycleShape(spec) };
  return oneCycle(shape, true);
}

type Update = (t: number, lr: number) => number;

/** PyTorch's own recurrences, for rates that several schedulers change in turn. `first` is applied at step 0. */
const UPDATES = {
  StepLR: ({ stepSize, gamma }: ScheduleOf<"StepLR">) => ({
    first: 1,
    next: (t: number, lr: number) => (t % stepSize === 0 ? lr * gamma : lr),
  }),
  MultiStepLR: ({ milestones, gamma }: ScheduleOf<"MultiStepLR">) => ({
    first: 1,
    next: (t: number, lr: number) => lr * gamma ** milestones.filter((milestone) => milestone === t).length,
  }),
  ConstantLR: ({ factor, totalIters }: ScheduleOf<"ConstantLR">) => ({
    first: factor,
    // A factor of 0 crashes PyTorch at totalIters; here it stays 0.
    next: (t: number, lr: number) => (t === totalIters && factor > 0 ? lr * (1 / factor) : lr),
  }),
  LinearLR: ({ startFactor, endFactor, totalIters }: ScheduleOf<"LinearLR">) => {
    const slope = endFactor - startFactor;
    return {
      first: startFactor,
      next: (t: number, lr: number) =>
        t > totalIters ? lr : lr * (1 + slope / (totalIters * startFactor + (t - 1) * slope)),
    };
  },
  ExponentialLR: ({ gamma }: ScheduleOf<"ExponentialLR">) => ({
    first: 1,
    next: (_t: number, lr: number) => lr * gamma,
  }),
  PolynomialLR: ({ totalIters, power }: ScheduleOf<"PolynomialLR">) => ({
    first: 1,
    next: (t: number, lr: number) =>
      t > totalIters ? lr : lr * ((1 - t / totalIters) / (1 - (t - 1) / totalIters)) ** power,
  }),
  CosineAnnealingLR: ({ lr: base, tMax, etaMin }: ScheduleOf<"CosineAnnealingLR">) => ({
    first: 1,
    next: (t: number, lr: number) => {
      if ((t - 1 - tMax) % (2 * tMax) === 0) return lr + ((base - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
      const now = 1 + Math.cos((Math.PI * t) / tMax);
      return (now / (1 + Math.cos((Math.PI * (t - 1)) / tMax))) * (lr - etaMin) + etaMin;
    },
  }),
  MultiplicativeLR: ({ lrLambda }: ScheduleOf<"MultiplicativeLR">) => {
    const factor = buildFactor(lrLambda);
    return { first: 1, next: (t: number, lr: number) => lr * factor(t) };
  },
} as const;

/** The classes that change the rate they find; the others set it, and would undo what came before them in the chain. */
export const CHAINABLE: readonly string[] = Object.keys(UPDATES);

/**
 * CosineAnnealingLR: the closed form down to the minimum; past it PyTorch's recurrence, whose rounding of a small rise on
 * top of etaMin shows in the eleventh digit of all that follows.
 */
export function cosineAnnealing(spec: ScheduleOf<"CosineAnnealingLR">): Schedule {
  const { lr, etaMin, tMax } = spec;
  const down = cosine(lr, etaMin, tMax);
  const { next } = UPDATES.CosineAnnealingLR(spec);
  const after = recurrence(etaMin, (t, rate) => next(t + tMax, rate));
  return (step) => (step <= tMax ? down(step) : after(step - tMax));
}

/** ChainedScheduler: not a product of closed forms, because a cosine with a floor, or past its end, adds to the rate. */
export function chainedScheduler({ lr, schedulers }: ScheduleOf<"ChainedScheduler">): Schedule {
  const parts = schedulers.map((child) =>
    (UPDATES[child.type as keyof typeof UPDATES] as (spec: unknown) => { first: number; next: Update })(child),
  );
  const first = parts.reduce((rate, part) => rate * part.first, lr);
  return recurrence(first, (t, rate) => parts.reduce((value, { next }) => next(t, value), rate));
}
