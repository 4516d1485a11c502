import type { OPTAX_SCHEMAS } from "../../../schemas/schedules/optax.js";
import { refuse, sequence } from "../checks.js";
import type { ScheduleDefinition } from "../definition.js";
import { high, lowOverHigh, part, runSteps } from "../run-defaults.js";
import { between, momentumInSequence } from "../sequences.js";
import { exponentialDecay, join, line, scaled, warmupCosine } from "./expressions.js";

const warmed = { peakValue: high, warmupSteps: part(0.1, 0) };

/** optax 0.2.8's schedules of several parts. */
export const OPTAX_COMPOSED = {
  "optax/linear_onecycle_schedule": {
    defaults: { transitionSteps: runSteps, peakValue: high },
    expression: ({ transitionSteps: steps, peakValue, pctStart, pctFinal, divFactor, finalDivFactor }) => {
      const scales: [number, number][] = [
        [Math.trunc(pctStart * steps), divFactor],
        [Math.trunc(pctFinal * steps), 1 / divFactor],
        [steps, 1 / finalDivFactor],
      ];
      return scaled(peakValue / divFactor, scales, "linear");
    },
  },
  "optax/cosine_onecycle_schedule": {
    defaults: { transitionSteps: runSteps, peakValue: high },
    expression: ({ transitionSteps: steps, peakValue, pctStart, divFactor, finalDivFactor }) => {
      const scales: [number, number][] = [
        [Math.trunc(pctStart * steps), divFactor],
        [steps, 1 / (divFactor * finalDivFactor)],
      ];
      return scaled(peakValue / divFactor, scales, "cosine");
    },
  },
  "optax/warmup_constant_schedule": {
    defaults: warmed,
    expression: ({ initValue, peakValue, warmupSteps }) => line(initValue, peakValue, warmupSteps),
    lint: ({ warmupSteps }, { remark }) => {
      if (warmupSteps > 0) return;
      remark("warning", "stuck", "/warmupSteps", "with no warm-up steps optax stays at initValue");
    },
  },
  "optax/warmup_cosine_decay_schedule": {
    defaults: { ...warmed, decaySteps: runSteps },
    expression: warmupCosine,
    check: ({ decaySteps, warmupSteps }) =>
      refuse(decaySteps <= warmupSteps, "/decaySteps", "more than warmupSteps, which it includes"),
    lint: ({ warmupSteps, decaySteps }, { warmup, unfinished }) => {
      warmup(warmupSteps, "/warmupSteps", "within");
      unfinished(decaySteps, "/decaySteps");
    },
  },
  "optax/warmup_exponential_decay_schedule": {
    defaults: { ...warmed, transitionSteps: runSteps, decayRate: lowOverHigh },
    expression: (spec) => {
      const { initValue, peakValue, warmupSteps } = spec;
      const up = line(initValue, peakValue, warmupSteps);
      return join([up, exponentialDecay({ ...spec, initValue: peakValue })], [warmupSteps]);
    },
    lint: ({ warmupSteps }, { warmup }) => warmup(warmupSteps, "/warmupSteps", { after: null }),
  },
  "optax/sgdr_schedule": {
    defaults: {},
    expression: ({ cosineKwargs }) => {
      let end = 0;
      const ends = cosineKwargs.map(({ decaySteps }) => (end += decaySteps));
      return join(cosineKwargs.map(warmupCosine), ends.slice(0, -1));
    },
    check: ({ cosineKwargs }) =>
      cosineKwargs.flatMap(({ decaySteps, warmupSteps }, i) =>
        refuse(decaySteps <= warmupSteps, `/cosineKwargs/${i}/decaySteps`, "more than warmupSteps, which it includes"),
      ),
  },
  "optax/join_schedules": {
    defaults: {},
    span: ({ boundaries }, steps, index) => between(boundaries, steps, index),
    expression: ({ schedules, boundaries }) => ({ type: "sequential", schedules, milestones: boundaries }),
    momentum: ({ schedules, boundaries }, momentumOf) => momentumInSequence(schedules, boundaries, momentumOf),
    check: ({ schedules, boundaries }) => sequence(schedules.length, boundaries, "/boundaries"),
    lint: ({ boundaries }, { past }) => past(boundaries, "/boundaries"),
  },
} satisfies { readonly [T in keyof typeof OPTAX_SCHEMAS]?: ScheduleDefinition<T> };
