import { LIMITS } from "../../schemas/limits.js";
import type { NativeSpec, ScheduleOf } from "../../schemas/schedule.js";

const constant = (lr: number): NativeSpec => ({ type: "constant", lr });
const join = (schedules: NativeSpec[], milestones: number[]): NativeSpec => ({
  type: "sequential",
  schedules,
  milestones,
});
/** The schedule begun at a later step, its first value held until then. */
const begun = (begin: number, first: number, schedule: NativeSpec): NativeSpec =>
  begin === 0 ? schedule : join([constant(first), schedule], [begin]);

/** As optax: no steps, no transition. */
const line = (start: number, end: number, steps: number): NativeSpec =>
  steps === 0 ? constant(start) : { type: "linear", start, end, steps };

type Decay = Pick<
  ScheduleOf<"optax/exponential_decay">,
  "initValue" | "transitionSteps" | "decayRate" | "transitionBegin" | "staircase" | "endValue"
>;
function exponentialDecay(spec: Decay): NativeSpec {
  const { initValue: lr, transitionSteps: decaySteps, decayRate: gamma, transitionBegin, staircase, endValue } = spec;
  if (decaySteps === 0 || gamma === 0) return constant(lr);
  const schedule = begun(transitionBegin, lr, { type: "exponential", lr, gamma, decaySteps, staircase });
  if (endValue === undefined) return schedule;
  return gamma < 1
    ? { type: "clamp", schedule, min: endValue, max: LIMITS.lr }
    : { type: "clamp", schedule, min: 0, max: endValue };
}

function cosineDecay(initValue: number, steps: number, alpha: number, exponent: number): NativeSpec {
  const minLr = initValue * alpha;
  const end = constant(minLr);
  if (exponent === 1) return join([{ type: "cosine", lr: initValue, minLr, steps }, end], [steps]);
  const factor = `(1 - ${alpha}) * (0.5 * (1 + cos(pi * t / ${steps}))) ** ${exponent} + ${alpha}`;
  return join([{ type: "lambda", lr: initValue, factor }, end], [steps]);
}

type WarmupCosine = ScheduleOf<"optax/sgdr_schedule">["cosineKwargs"][number];
function warmupCosine(spec: WarmupCosine): NativeSpec {
  const { initValue = 0, peakValue, warmupSteps, decaySteps, endValue = 0, exponent = 1 } = spec;
  const alpha = peakValue === 0 ? 0 : endValue / peakValue;
  const decay = cosineDecay(peakValue, decaySteps - warmupSteps, alpha, exponent);
  return join([line(initValue, peakValue, warmupSteps), decay], [warmupSteps]);
}

/** Points at the values that factors give at their boundaries; a later factor for the same boundary replaces the former. */
function scaled(
  initValue: number,
  scales: Iterable<readonly [number, number]>,
  interpolation: "hold" | "linear" | "cosine",
): NativeSpec {
  const points = new Map([[0, initValue]]);
  let value = initValue;
  for (const [boundary, scale] of [...new Map(scales)].sort(([a], [b]) => a - b)) {
    value *= scale;
    points.set(boundary, value);
  }
  return { type: "piecewise", points: [...points], interpolation };
}
const entries = (scales: Readonly<Record<string, number>>): [number, number][] =>
  Object.entries(scales).map(([step, scale]) => [Number(step), scale]);

/** optax 0.2.8's schedules as expressions over our own. */
export const OPTAX_EXPRESSIONS = {
  "optax/constant_schedule": (spec: ScheduleOf<"optax/constant_schedule">) => constant(spec.value),
  "optax/linear_schedule": (spec: ScheduleOf<"optax/linear_schedule">) =>
    begun(spec.transitionBegin, spec.initValue, line(spec.initValue, spec.endValue, spec.transitionSteps)),
  "optax/polynomial_schedule": (spec: ScheduleOf<"optax/polynomial_schedule">) => {
    const { initValue: start, endValue: end, power, transitionSteps: steps } = spec;
    return steps === 0
      ? constant(start)
      : begun(spec.transitionBegin, start, { type: "polynomial", start, end, power, steps });
  },
  "optax/piecewise_constant_schedule": (spec: ScheduleOf<"optax/piecewise_constant_schedule">) =>
    scaled(spec.initValue, entries(spec.boundariesAndScales), "hold"),
  "optax/piecewise_interpolate_schedule": (spec: ScheduleOf<"optax/piecewise_interpolate_schedule">) =>
    scaled(spec.initValue, entries(spec.boundariesAndScales), spec.interpolateType),
  "optax/exponential_decay": (spec: ScheduleOf<"optax/exponential_decay">) => exponentialDecay(spec),
  "optax/cosine_decay_schedule": (spec: ScheduleOf<"optax/cosine_decay_schedule">) =>
    cosineDecay(spec.initValue, spec.decaySteps, spec.alpha, spec.exponent),
  "optax/linear_onecycle_schedule": (spec: ScheduleOf<"optax/linear_onecycle_schedule">) => {
    const { transitionSteps: steps, divFactor, finalDivFactor } = spec;
    const scales: [number, number][] = [
      [Math.trunc(spec.pctStart * steps), divFactor],
      [Math.trunc(spec.pctFinal * steps), 1 / divFactor],
      [steps, 1 / finalDivFactor],
    ];
    return scaled(spec.peakValue / divFactor, scales, "linear");
  },
  "optax/cosine_onecycle_schedule": (spec: ScheduleOf<"optax/cosine_onecycle_schedule">) => {
    const { transitionSteps: steps, divFactor, finalDivFactor } = spec;
    const scales: [number, number][] = [
      [Math.trunc(spec.pctStart * steps), divFactor],
      [steps, 1 / (divFactor * finalDivFactor)],
    ];
    return scaled(spec.peakValue / divFactor, scales, "cosine");
  },
  "optax/warmup_constant_schedule": (spec: ScheduleOf<"optax/warmup_constant_schedule">) =>
    line(spec.initValue, spec.peakValue, spec.warmupSteps),
  "optax/warmup_cosine_decay_schedule": (spec: ScheduleOf<"optax/warmup_cosine_decay_schedule">) => warmupCosine(spec),
  "optax/warmup_exponential_decay_schedule": (spec: ScheduleOf<"optax/warmup_exponential_decay_schedule">) =>
    join(
      [
        line(spec.initValue, spec.peakValue, spec.warmupSteps),
        exponentialDecay({ ...spec, initValue: spec.peakValue }),
      ],
      [spec.warmupSteps],
    ),
  "optax/sgdr_schedule": ({ cosineKwargs }: ScheduleOf<"optax/sgdr_schedule">) => {
    let end = 0;
    const ends = cosineKwargs.map(({ decaySteps }) => (end += decaySteps));
    return join(cosineKwargs.map(warmupCosine), ends.slice(0, -1));
  },
  "optax/join_schedules": ({ schedules, boundaries }: ScheduleOf<"optax/join_schedules">): NativeSpec => ({
    type: "sequential",
    schedules,
    milestones: boundaries,
  }),
} as const;
