import type { NativeSpec } from "../../../schemas/schedule.js";
import type { OPTAX_SCHEMAS } from "../../../schemas/schedules/optax.js";
import { refuse } from "../checks.js";
import type { ScheduleDefinition } from "../definition.js";
import { optaxReduceOnPlateau } from "../policies.js";
import { every, high, low, lowOverHigh, runSteps } from "../run-defaults.js";
import type { LrPolicy } from "../schedule.js";
import { begun, constant, cosineDecay, exponentialDecay, line, scaled } from "./expressions.js";

const entries = (scales: Readonly<Record<string, number>>): [number, number][] =>
  Object.entries(scales).map(([step, scale]) => [Number(step), scale]);

/** optax 0.2.8's schedules of one part, and its plateau. */
export const OPTAX_DECAYS = {
  "optax/constant_schedule": {
    defaults: { value: high },
    expression: ({ value }) => constant(value),
  },
  "optax/linear_schedule": {
    defaults: { initValue: high, endValue: low, transitionSteps: runSteps },
    expression: ({ initValue, endValue, transitionSteps, transitionBegin }) =>
      begun(transitionBegin, initValue, line(initValue, endValue, transitionSteps)),
  },
  "optax/polynomial_schedule": {
    defaults: { initValue: high, endValue: low, transitionSteps: runSteps },
    expression: ({ initValue: start, endValue: end, power, transitionSteps: steps, transitionBegin }): NativeSpec =>
      steps === 0 ? constant(start) : begun(transitionBegin, start, { type: "polynomial", start, end, power, steps }),
  },
  "optax/piecewise_constant_schedule": {
    defaults: { initValue: high },
    expression: ({ initValue, boundariesAndScales }) => scaled(initValue, entries(boundariesAndScales), "hold"),
  },
  "optax/piecewise_interpolate_schedule": {
    defaults: { initValue: high },
    expression: ({ initValue, boundariesAndScales, interpolateType }) =>
      scaled(initValue, entries(boundariesAndScales), interpolateType),
  },
  "optax/exponential_decay": {
    defaults: { initValue: high, transitionSteps: runSteps, decayRate: lowOverHigh },
    expression: exponentialDecay,
  },
  "optax/cosine_decay_schedule": {
    defaults: { initValue: high, decaySteps: runSteps },
    expression: ({ initValue, decaySteps, alpha, exponent }) => cosineDecay(initValue, decaySteps, alpha, exponent),
  },
  "optax/reduce_on_plateau": {
    defaults: { lr: high, every },
    policy: (spec) => optaxReduceOnPlateau(spec) as LrPolicy,
    check: ({ rtol, atol }) => refuse(rtol === 0 && atol === 0, "/rtol", "above 0 where atol is 0"),
  },
} satisfies { readonly [T in keyof typeof OPTAX_SCHEMAS]?: ScheduleDefinition<T> };
