import type { NativeSpec, NestedSchedule, ScheduleOf, ScheduleRequest } from "../../schemas/schedule.js";

/*
 * From our own terms to a library's, where it has the like; null where it has not. Whether a translation is good enough
 * is decided by comparing the curves.
 */

type Sequence = ScheduleOf<"sequential">;

/** The milestones of step decays; null where there are none, or too many, within `steps`. */
function stepMilestones(spec: ScheduleOf<"step">, steps: number): number[] | null {
  if (spec.milestones !== undefined) return spec.milestones;
  const count = Math.floor((steps - 1) / spec.stepSize!);
  return count > 1000 ? null : Array.from({ length: count }, (_, i) => (i + 1) * spec.stepSize!);
}

/** A factor between rates; 0 where there is nothing to scale. */
const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** `base` is the optimizer's rate that the classes scale; null: the schedule's own. */
export function inTorch(spec: NativeSpec, base: number | null = null): ScheduleRequest | null {
  const fits = (lr: number, request: ScheduleRequest) => (base === null || base === lr ? request : null);
  switch (spec.type) {
    case "constant": {
      const lr = base ?? spec.lr;
      return spec.lr <= lr ? { type: "ConstantLR", lr, factor: ratio(spec.lr, lr), totalIters: 10_000_000 } : null;
    }
    case "linear": {
      const lr = base ?? Math.max(spec.start, spec.end);
      if (spec.start > lr || spec.end > lr || lr === 0) return null;
      if (spec.start > 0) {
        const [startFactor, endFactor] = [spec.start / lr, spec.end / lr];
        return { type: "LinearLR", lr, startFactor, endFactor, totalIters: spec.steps };
      }
      // LinearLR cannot start at 0.
      return { type: "LambdaLR", lr, lrLambda: `min(t / ${spec.steps}, 1) * ${spec.end / lr}` };
    }
    case "step":
      if (spec.milestones !== undefined) {
        return fits(spec.lr, { type: "MultiStepLR", lr: spec.lr, milestones: spec.milestones, gamma: spec.gamma });
      }
      return fits(spec.lr, { type: "StepLR", lr: spec.lr, stepSize: spec.stepSize, gamma: spec.gamma });
    case "multi-step":
      return fits(spec.lr, { type: "MultiStepLR", lr: spec.lr, milestones: spec.milestones, gamma: spec.gamma });
    case "exponential":
      return spec.staircase
        ? fits(spec.lr, { type: "StepLR", lr: spec.lr, stepSize: spec.decaySteps, gamma: spec.gamma })
        : fits(spec.lr, { type: "ExponentialLR", lr: spec.lr, gamma: spec.gamma ** (1 / spec.decaySteps) });
    case "polynomial":
      return spec.end === 0
        ? fits(spec.start, { type: "PolynomialLR", lr: spec.start, totalIters: spec.steps, power: spec.power })
        : null;
    case "cosine":
      return fits(spec.lr, { type: "CosineAnnealingLR", lr: spec.lr, tMax: spec.steps, etaMin: spec.minLr });
    case "cosine-warm-restarts": {
      const { lr, minLr: etaMin, period: t0, growth: tMult } = spec;
      return fits(lr, { type: "CosineAnnealingWarmRestarts", lr, t0, tMult, etaMin });
    }
    case "cyclic":
      return { ...spec, type: "CyclicLR", cycleMomentum: false };
    case "one-cycle":
      return {
        type: "OneCycleLR",
        maxLr: spec.maxLr,
        totalSteps: spec.steps,
        pctStart: spec.pctStart,
        annealStrategy: spec.anneal,
        threePhase: spec.threePhase,
        cycleMomentum: false,
        divFactor: spec.maxLr / spec.initialLr,
        finalDivFactor: spec.initialLr / spec.finalLr,
      };
    case "lambda":
      return fits(spec.lr, { type: "LambdaLR", lr: spec.lr, lrLambda: spec.factor });
    case "multiplicative":
      return fits(spec.lr, { type: "MultiplicativeLR", lr: spec.lr, lrLambda: spec.factor });
    case "piecewise": {
      const { points } = spec;
      if (spec.interpolation !== "hold") return null;
      const lr = base ?? Math.max(...points.map(([, rate]) => rate));
      if (lr === 0) return null;
      const rows = points.map(([step, rate], i) => [i === 0 ? 0 : step, rate / lr]);
      return { type: "LambdaLR", lr, lrLambda: rows };
    }
    case "sequential": {
      const lr = base ?? Math.max(...spec.schedules.map((child) => torchPeak(child as NativeSpec)));
      const schedulers = spec.schedules.map((child) => inTorch(child as NativeSpec, lr));
      return schedulers.includes(null) ? null : { type: "SequentialLR", lr, schedulers, milestones: spec.milestones };
    }
    case "chained": {
      const schedulers = spec.schedules.map((child) => {
        const { type, ...rest } = child;
        return type.endsWith("LR") ? { type, ...rest } : inTorch(child as NativeSpec, spec.lr);
      });
      return schedulers.includes(null) ? null : { type: "ChainedScheduler", lr: spec.lr, schedulers };
    }
    default:
      return null;
  }
}

/** The rate that a schedule scales, for the common base of a SequentialLR. */
function torchPeak(spec: NativeSpec): number {
  if (spec.type === "linear") return Math.max(spec.start, spec.end);
  if (spec.type === "polynomial") return spec.start;
  if (spec.type === "sequential") return Math.max(...spec.schedules.map((child) => torchPeak(child as NativeSpec)));
  return "lr" in spec ? spec.lr : 0;
}

/** The warm-up and what follows, of a schedule that begins with a line from 0; else no warm-up. */
function warmupOf(spec: NativeSpec): { numWarmupSteps: number; after: NativeSpec } {
  if (spec.type === "sequential" && spec.schedules.length >= 2) {
    const [up, ...rest] = spec.schedules as unknown as NativeSpec[];
    const [first, ...others] = spec.milestones;
    if (up!.type === "linear" && up!.start === 0 && up!.steps === first) {
      const after: Sequence = {
        type: "sequential",
        schedules: rest as NestedSchedule[],
        milestones: others.map((m) => m - first!),
      };
      return { numWarmupSteps: first!, after: held(after) };
    }
  }
  return { numWarmupSteps: 0, after: held(spec) };
}

/** Without a tail that holds the end value of the schedule before it, and without a sequence of one. */
function held(spec: NativeSpec): NativeSpec {
  if (spec.type !== "sequential") return spec;
  const [first, last] = spec.schedules as unknown as NativeSpec[];
  if (spec.schedules.length === 1) return held(first!);
  const holds = spec.schedules.length === 2 && first!.type === "cosine" && last!.type === "constant";
  return holds && last.lr === first.minLr && first.steps === spec.milestones[0] ? first : spec;
}

export function inHuggingFace(spec: NativeSpec): ScheduleRequest | null {
  const { numWarmupSteps, after } = warmupOf(spec);
  const until = (steps: number) => ({ numWarmupSteps, numTrainingSteps: numWarmupSteps + steps });
  switch (after.type) {
    case "constant":
      return numWarmupSteps === 0
        ? { type: "hf/constant", lr: after.lr }
        : { type: "hf/constant_with_warmup", lr: after.lr, numWarmupSteps };
    case "linear":
      if (after.start === 0) return { type: "hf/constant_with_warmup", lr: after.end, numWarmupSteps: after.steps };
      return after.end === 0
        ? { type: "hf/linear", lr: after.start, ...until(after.steps) }
        : { type: "hf/polynomial", lr: after.start, lrEnd: after.end, power: 1, ...until(after.steps) };
    case "polynomial":
      return { type: "hf/polynomial", lr: after.start, lrEnd: after.end, power: after.power, ...until(after.steps) };
    case "cosine":
      return after.minLr === 0
        ? { type: "hf/cosine", lr: after.lr, ...until(after.steps) }
        : { type: "hf/cosine_with_min_lr", lr: after.lr, minLr: after.minLr, ...until(after.steps) };
    case "inverse-sqrt":
      if (!Number.isInteger(after.timescale)) return null;
      return { type: "hf/inverse_sqrt", lr: after.lr, numWarmupSteps, timescale: after.timescale };
    case "warmup-stable-decay": {
      const { lr, startLr, endLr, decay } = after;
      if (numWarmupSteps > 0 || (after.warmupSteps > 0 && startLr !== endLr)) return null;
      return {
        type: "hf/warmup_stable_decay",
        lr,
        numWarmupSteps: after.warmupSteps,
        numStableSteps: after.stableSteps,
        numDecaySteps: after.decaySteps,
        decayType: decay === "one-minus-sqrt" ? "1-sqrt" : decay,
        minLrRatio: ratio(endLr, lr),
      };
    }
    default:
      return null;
  }
}

/** Cycles of an SGDR that fit one optax/sgdr_schedule. */
const MAX_CYCLES = 64;

export function inOptax(spec: NativeSpec, steps: number): ScheduleRequest | null {
  const plain = held(spec);
  switch (plain.type) {
    case "constant":
      return { type: "optax/constant_schedule", value: plain.lr };
    case "linear": {
      const { start: initValue, end: endValue, steps: transitionSteps } = plain;
      return { type: "optax/linear_schedule", initValue, endValue, transitionSteps };
    }
    case "polynomial": {
      const { start: initValue, end: endValue, power, steps: transitionSteps } = plain;
      return { type: "optax/polynomial_schedule", initValue, endValue, power, transitionSteps };
    }
    case "exponential": {
      const { lr: initValue, gamma: decayRate, decaySteps: transitionSteps, staircase } = plain;
      return { type: "optax/exponential_decay", initValue, transitionSteps, decayRate, staircase };
    }
    case "step":
    case "multi-step": {
      const milestones = plain.type === "step" ? stepMilestones(plain, steps) : plain.milestones;
      if (milestones === null) return null;
      const scales: Record<string, number> = {};
      for (const milestone of milestones) scales[milestone] = (scales[milestone] ?? 1) * plain.gamma;
      return { type: "optax/piecewise_constant_schedule", initValue: plain.lr, boundariesAndScales: scales };
    }
    case "piecewise": {
      const [first, ...rest] = plain.points;
      const values = [first![1], ...rest.map(([, rate]) => rate)];
      if (first![0] !== 0 || values.slice(0, -1).includes(0)) return null;
      const boundariesAndScales = Object.fromEntries(rest.map(([step, rate], i) => [step, rate / values[i]!]));
      return plain.interpolation === "hold"
        ? { type: "optax/piecewise_constant_schedule", initValue: first![1], boundariesAndScales }
        : {
            type: "optax/piecewise_interpolate_schedule",
            interpolateType: plain.interpolation,
            initValue: first![1],
            boundariesAndScales,
          };
    }
    case "cosine":
      return {
        type: "optax/cosine_decay_schedule",
        initValue: plain.lr,
        decaySteps: plain.steps,
        alpha: ratio(plain.minLr, plain.lr),
      };
    case "cosine-warm-restarts": {
      const cycles: object[] = [];
      let length = plain.period;
      for (let begin = 0; begin < steps; begin += length, length *= plain.growth) {
        if (cycles.length > 0) length = Math.min(length, 10_000_000);
        cycles.push({ peakValue: plain.lr, warmupSteps: 0, decaySteps: length, endValue: plain.minLr });
        if (cycles.length > MAX_CYCLES) return null;
      }
      return { type: "optax/sgdr_schedule", cosineKwargs: cycles };
    }
    case "sequential": {
      const warmupCosine = inWarmupCosine(plain);
      if (warmupCosine !== null) return warmupCosine;
      const schedules = plain.schedules.map((child) => inOptax(child as NativeSpec, steps));
      return schedules.includes(null)
        ? null
        : { type: "optax/join_schedules", schedules, boundaries: plain.milestones };
    }
    default:
      return null;
  }
}

/** optax's one function for the commonest pair of all. */
function inWarmupCosine(spec: Sequence): ScheduleRequest | null {
  const [up, ...rest] = spec.schedules as unknown as NativeSpec[];
  const [first, ...others] = spec.milestones;
  if (up?.type !== "linear" || up.steps !== first || rest.length === 0) return null;
  const after = held({
    type: "sequential",
    schedules: rest as NestedSchedule[],
    milestones: others.map((milestone) => milestone - first!),
  });
  if (after.type !== "cosine" || after.lr !== up.end) return null;
  return {
    type: "optax/warmup_cosine_decay_schedule",
    initValue: up.start,
    peakValue: up.end,
    warmupSteps: first,
    decaySteps: first! + after.steps,
    endValue: after.minLr,
  };
}
