import type { NativeSpec, ScheduleSpec } from "../../schemas/schedule.js";
import { ladder } from "../finder/ladder.js";
import * as combinators from "./combinators.js";
import { buildFactor, type FactorSpec, recurrence } from "./factors.js";
import { HUGGING_FACE_EXPRESSIONS } from "./hugging-face.js";
import * as leaves from "./leaves.js";
import { buildMomentum } from "./momentum.js";
import { OPTAX_EXPRESSIONS } from "./optax.js";
import { greedy, optaxReduceOnPlateau, reduceOnPlateau } from "./policies.js";
import { baseRate } from "./rates.js";
import type { LrPolicy, Schedule } from "./schedule.js";
import { chainedScheduler, cosineAnnealing, TORCH_EXPRESSIONS } from "./torch.js";

const EXPRESSIONS = { ...TORCH_EXPRESSIONS, ...HUGGING_FACE_EXPRESSIONS, ...OPTAX_EXPRESSIONS };
type ExpressionType = keyof typeof EXPRESSIONS;

/** A library's schedule as an expression over our own; null for our own and for those without one. */
export function expressed(spec: ScheduleSpec): NativeSpec | null {
  if (!Object.hasOwn(EXPRESSIONS, spec.type)) return null;
  return (EXPRESSIONS[spec.type as ExpressionType] as (spec: ScheduleSpec) => NativeSpec)(spec);
}

/** The metric-driven policy of a spec; null for schedules of the step alone. */
function metricDriven(spec: ScheduleSpec): LrPolicy | null {
  switch (spec.type) {
    case "reduce-on-plateau":
    case "ReduceLROnPlateau":
    case "hf/reduce_lr_on_plateau":
      return reduceOnPlateau(spec) as LrPolicy;
    case "greedy":
    case "hf/greedy":
      return greedy(spec) as LrPolicy;
    case "optax/reduce_on_plateau":
      return optaxReduceOnPlateau(spec) as LrPolicy;
    default:
      return null;
  }
}

export const isMetricDriven = (spec: ScheduleSpec): boolean => metricDriven(spec) !== null;

/** The policy that a resolved schedule describes. */
export function buildPolicy(spec: ScheduleSpec): LrPolicy {
  const driven = metricDriven(spec);
  if (driven !== null) return driven;
  const schedule = buildSchedule(spec);
  const momentum = buildMomentum(spec);
  return {
    every: null,
    init: () => null,
    lr: (_state, step) => schedule(step),
    ...(momentum === null ? {} : { momentum: (_state, step) => momentum(step) }),
    next: () => null,
  };
}

/**
 * The function of the step that a resolved schedule describes; equal to the library's values to rtol 1e-12. Throws
 * RangeError for metric-driven types, which buildPolicy takes.
 */
export function buildSchedule(spec: ScheduleSpec): Schedule {
  if (spec.type === "ChainedScheduler") return chainedScheduler(spec);
  if (spec.type === "CosineAnnealingLR") return cosineAnnealing(spec);
  return buildNative((expressed(spec) ?? spec) as NativeSpec);
}

const build = (child: { type: string }): Schedule => buildSchedule(child as ScheduleSpec);

function buildNative(spec: NativeSpec): Schedule {
  switch (spec.type) {
    case "constant":
      return () => spec.lr;
    case "linear":
      return leaves.line(spec.start, spec.end, spec.steps);
    case "step":
      return spec.milestones === undefined
        ? (step) => spec.lr * spec.gamma ** Math.floor(step / spec.stepSize!)
        : leaves.multiStep(spec.lr, spec.gamma, spec.milestones);
    case "multi-step":
      return leaves.multiStep(spec.lr, spec.gamma, spec.milestones);
    case "exponential":
      return leaves.exponential(spec);
    case "polynomial":
      return leaves.polynomial(spec);
    case "inverse-time":
      return leaves.inverseTime(spec);
    case "inverse-sqrt":
      return (step) => spec.lr / Math.sqrt((step + spec.timescale) / spec.timescale);
    case "one-minus-sqrt":
      return leaves.oneMinusSqrt(spec);
    case "tanh":
      return leaves.tanh(spec);
    case "piecewise":
      return leaves.piecewise(spec);
    case "cyclic":
      return leaves.cyclic(spec);
    case "cosine":
      return leaves.cosine(spec.lr, spec.minLr, spec.steps);
    case "cosine-warm-restarts":
      return leaves.cosineWarmRestarts(spec);
    case "one-cycle":
      return leaves.oneCycle(spec);
    case "warmup-stable-decay":
      return leaves.warmupStableDecay(spec);
    case "noam":
      return leaves.noam(spec);
    case "sweep":
      return ladder(spec);
    case "lambda": {
      const factor = buildFactor(spec.factor as FactorSpec);
      return (step) => spec.lr * factor(step);
    }
    case "multiplicative": {
      const factor = buildFactor(spec.factor as FactorSpec);
      return recurrence(spec.lr, (t, lr) => lr * factor(t));
    }
    case "sequential":
      return combinators.sequential(spec.schedules.map(build), spec.milestones);
    case "chained":
      return combinators.chained(
        spec.lr,
        spec.schedules.map((child) => ({ schedule: build(child), base: baseRate(child as ScheduleSpec) ?? spec.lr })),
      );
    case "repeat":
      return combinators.repeat(build(spec.schedule), spec.period, spec.growth, spec.decay);
    case "clamp":
      return combinators.clamp(build(spec.schedule), spec.min, spec.max);
    case "warmup": {
      const after = build(spec.schedule);
      return combinators.sequential([leaves.line(spec.start, after(0), spec.steps), after], [spec.steps]);
    }
    case "override":
      return combinators.override(build(spec.schedule), spec.rates);
    case "reduce-on-plateau":
    case "greedy":
      throw new RangeError(`${spec.type} depends on the loss: it has a policy, not a schedule`);
  }
}
