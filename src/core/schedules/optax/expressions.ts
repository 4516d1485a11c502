import { LIMITS } from "../../../schemas/limits.js";
import type { NativeSpec, ScheduleOf } from "../../../schemas/schedule.js";

/* What several of optax 0.2.8's schedules are made of, over our own. */

export const constant = (lr: number): NativeSpec => ({ type: "constant", lr });
export const join = (schedules: NativeSpec[], milestones: number[]): NativeSpec => ({
  type: "sequential",
  schedules,
  milestones,
});
/** The schedule begun at a later step, its first value held until then. */
export const begun = (begin: number, first: number, schedule: NativeSpec): NativeSpec =>
  begin === 0 ? schedule : join([constant(first), schedule], [begin]);

/** As optax: no steps, no transition. */
export const line = (start: number, end: number, steps: number): NativeSpec =>
  steps === 0 ? constant(start) : { type: "linear", start, end, steps };

type Decay = Pick<
  ScheduleOf<"optax/exponential_decay">,
  "initValue" | "transitionSteps" | "decayRate" | "transitionBegin" | "staircase" | "endValue"
>;
export function exponentialDecay(spec: Decay): NativeSpec {
  const { initValue: lr, transitionSteps: decaySteps, decayRate: gamma, transitionBegin, staircase, endValue } = spec;
  if (decaySteps === 0 || gamma === 0) return constant(lr);
  const schedule = begun(transitionBegin, lr, { type: "exponential", lr, gamma, decaySteps, staircase });
  if (endValue === undefined) return schedule;
  return gamma < 1
    ? { type: "clamp", schedule, min: endValue, max: LIMITS.lr }
    : { type: "clamp", schedule, min: 0, max: endValue };
}

export function cosineDecay(initValue: number, steps: number, alpha: number, exponent: number): NativeSpec {
  const minLr = initValue * alpha;
  const end = constant(minLr);
  if (exponent === 1) return join([{ type: "cosine", lr: initValue, minLr, steps }, end], [steps]);
  const factor = `(1 - ${alpha}) * (0.5 * (1 + cos(pi * t / ${steps}))) ** ${exponent} + ${alpha}`;
  return join([{ type: "lambda", lr: initValue, factor }, end], [steps]);
}

type WarmupCosine = ScheduleOf<"optax/sgdr_schedule">["cosineKwargs"][number];
export function warmupCosine(spec: WarmupCosine): NativeSpec {
  const { initValue = 0, peakValue, warmupSteps, decaySteps, endValue = 0, exponent = 1 } = spec;
  const alpha = peakValue === 0 ? 0 : endValue / peakValue;
  const decay = cosineDecay(peakValue, decaySteps - warmupSteps, alpha, exponent);
  return join([line(initValue, peakValue, warmupSteps), decay], [warmupSteps]);
}

/** Points at the values that factors give at their boundaries; a later factor for the same boundary replaces the former. */
export function scaled(
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
