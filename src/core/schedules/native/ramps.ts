import type { NativeType } from "../../../schemas/schedule.js";
import { pow } from "../../pow.js";
import { line, oneMinusSqrt } from "../curves.js";
import { type NativeDefinition, UNTRANSLATED } from "../definition.js";
import { high, low, runSteps } from "../run-defaults.js";
import { fits } from "../translate.js";

/** From start to end in `steps`, then end. */
export const RAMPS = {
  linear: {
    defaults: { start: high, end: low, steps: runSteps },
    schedule: ({ start, end, steps }) => line(start, end, steps),
    check: null,
    lint: ({ steps }, { unfinished }) => unfinished(steps, "/steps"),
    translations: {
      pytorch: ({ start, end, steps }, { base }) => {
        const lr = base ?? Math.max(start, end);
        if (start > lr || end > lr || lr === 0) return null;
        // LinearLR cannot start at 0.
        return start > 0
          ? { type: "LinearLR", lr, startFactor: start / lr, endFactor: end / lr, totalIters: steps }
          : { type: "LambdaLR", lr, lrLambda: `min(t / ${steps}, 1) * ${end / lr}` };
      },
      "hugging-face": ({ start, end, steps }, { numWarmupSteps }) => {
        if (start === 0) return { type: "hf/constant_with_warmup", lr: end, numWarmupSteps: steps };
        const until = { numWarmupSteps, numTrainingSteps: numWarmupSteps + steps };
        return end === 0
          ? { type: "hf/linear", lr: start, ...until }
          : { type: "hf/polynomial", lr: start, lrEnd: end, power: 1, ...until };
      },
      optax: ({ start: initValue, end: endValue, steps: transitionSteps }) => ({
        type: "optax/linear_schedule",
        initValue,
        endValue,
        transitionSteps,
      }),
    },
    values: [
      {
        given: { start: 1, end: 0.2, steps: 4 },
        lr: [
          [0, 1],
          [1, 0.8],
          [3, 0.4],
          [4, 0.2],
          [9, 0.2],
        ],
      },
    ],
  },
  polynomial: {
    defaults: { start: high, end: low, steps: runSteps },
    schedule:
      ({ start, end, power, steps }) =>
      (step) =>
        (start - end) * pow(1 - Math.min(step, steps) / steps, power) + end,
    check: null,
    lint: ({ steps }, { unfinished }) => unfinished(steps, "/steps"),
    translations: {
      pytorch: ({ start, end, power, steps }, { base }) =>
        end === 0 ? fits(base, start, { type: "PolynomialLR", lr: start, totalIters: steps, power }) : null,
      "hugging-face": ({ start, end, power, steps }, { numWarmupSteps }) => {
        const numTrainingSteps = numWarmupSteps + steps;
        return { type: "hf/polynomial", lr: start, lrEnd: end, power, numWarmupSteps, numTrainingSteps };
      },
      optax: ({ start: initValue, end: endValue, power, steps: transitionSteps }) => ({
        type: "optax/polynomial_schedule",
        initValue,
        endValue,
        power,
        transitionSteps,
      }),
    },
    values: [
      {
        given: { start: 1, end: 0.2, power: 2, steps: 4 },
        lr: [
          [0, 1],
          [1, 0.65],
          [2, 0.4],
          [4, 0.2],
          [9, 0.2],
        ],
      },
    ],
  },
  "one-minus-sqrt": {
    defaults: { start: high, end: low, steps: runSteps },
    schedule: ({ start, end, steps }) => oneMinusSqrt(start, end, steps),
    check: null,
    lint: ({ steps }, { unfinished }) => unfinished(steps, "/steps"),
    translations: UNTRANSLATED,
    values: [
      {
        given: { start: 1, end: 0.2, steps: 4 },
        lr: [
          [0, 1],
          [1, 0.6],
          [4, 0.2],
          [9, 0.2],
        ],
      },
    ],
  },
  tanh: {
    defaults: { start: high, end: low, steps: runSteps },
    /** timm's TanhLRScheduler. */
    schedule:
      ({ start, end, steps, lowerBound, upperBound }) =>
      (step) => {
        if (step >= steps) return end;
        const part = step / steps;
        return end + 0.5 * (start - end) * (1 - Math.tanh(lowerBound * (1 - part) + upperBound * part));
      },
    check: null,
    lint: ({ steps }, { unfinished }) => unfinished(steps, "/steps"),
    translations: UNTRANSLATED,
    // tanh(-7) = -0.9999983369, tanh(0) = 0.
    values: [
      {
        given: { start: 1, end: 0.1, steps: 10 },
        lr: [
          [0, 0.9999992516],
          [7, 0.55],
          [10, 0.1],
          [99, 0.1],
        ],
      },
    ],
  },
} satisfies { readonly [T in NativeType]?: NativeDefinition<T> };
