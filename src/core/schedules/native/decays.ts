import type { NativeType, ScheduleOf } from "../../../schemas/schedule.js";
import { pow } from "../../pow.js";
import { ascending, refuse } from "../checks.js";
import { decayed, multiStep } from "../curves.js";
import { type NativeDefinition, UNTRANSLATED } from "../definition.js";
import { decayPerStep, halfAndThreeQuarters, high, lowOverHigh, part, runSteps } from "../run-defaults.js";
import { fits, ratio } from "../translate.js";

/** The milestones of step decays; null where there are too many within `steps`. */
function stepMilestones(spec: ScheduleOf<"step">, steps: number): number[] | null {
  if (spec.milestones !== undefined) return spec.milestones;
  const count = Math.floor((steps - 1) / spec.stepSize!);
  return count > 1000 ? null : Array.from({ length: count }, (_, i) => (i + 1) * spec.stepSize!);
}

/** optax scales at boundaries; a repeated milestone is one boundary with the product of its factors. */
function atBoundaries(initValue: number, gamma: number, milestones: readonly number[]) {
  const boundariesAndScales: Record<string, number> = {};
  for (const milestone of milestones) {
    boundariesAndScales[milestone] = (boundariesAndScales[milestone] ?? 1) * gamma;
  }
  return { type: "optax/piecewise_constant_schedule", initValue, boundariesAndScales } as const;
}

/** One rate, and those that fall from `lr` by a rule. */
export const DECAYS = {
  constant: {
    defaults: { lr: high },
    schedule:
      ({ lr }) =>
      () =>
        lr,
    check: null,
    lint: null,
    translations: {
      pytorch: (spec, { base }) => {
        const lr = base ?? spec.lr;
        const factor = ratio(spec.lr, lr);
        return spec.lr <= lr ? { type: "ConstantLR", lr, factor, totalIters: 10_000_000 } : null;
      },
      "hugging-face": ({ lr }, { numWarmupSteps }) =>
        numWarmupSteps === 0 ? { type: "hf/constant", lr } : { type: "hf/constant_with_warmup", lr, numWarmupSteps },
      optax: ({ lr }) => ({ type: "optax/constant_schedule", value: lr }),
    },
    values: [
      {
        given: { lr: 0.3 },
        lr: [
          [0, 0.3],
          [999, 0.3],
        ],
      },
    ],
  },
  step: {
    defaults: {
      lr: high,
      stepSize: {
        says: "75% of the run's steps, unless milestones are given",
        of: (context, given) => (given.milestones === undefined ? part(0.75).of(context, given) : undefined),
      },
      gamma: {
        says: "low end over high end of lrRange; 0.1 where milestones are given",
        of: (context, given) => (given.milestones === undefined ? lowOverHigh.of(context, given) : 0.1),
      },
    },
    schedule: ({ lr, gamma, stepSize, milestones }) =>
      milestones === undefined
        ? (step) => lr * pow(gamma, Math.floor(step / stepSize!))
        : multiStep(lr, gamma, milestones),
    check: ({ stepSize, milestones }) => {
      if (milestones === undefined) return [];
      return [
        ...refuse(stepSize !== undefined, "/milestones", "absent where stepSize is given"),
        ...ascending(milestones, "/milestones", "milestones"),
      ];
    },
    lint: ({ milestones }, { past }) => past(milestones ?? [], "/milestones"),
    translations: {
      pytorch: ({ lr, gamma, stepSize, milestones }, { base }) =>
        milestones === undefined
          ? fits(base, lr, { type: "StepLR", lr, stepSize, gamma })
          : fits(base, lr, { type: "MultiStepLR", lr, milestones, gamma }),
      "hugging-face": null,
      optax: (spec, { steps }) => {
        const milestones = stepMilestones(spec, steps);
        return milestones && atBoundaries(spec.lr, spec.gamma, milestones);
      },
    },
    values: [
      {
        given: { lr: 1, stepSize: 3, gamma: 0.5 },
        lr: [
          [0, 1],
          [2, 1],
          [3, 0.5],
          [6, 0.25],
          [11, 0.125],
        ],
      },
      {
        given: { lr: 1, milestones: [3, 5] },
        lr: [
          [2, 1],
          [3, 0.1],
          [4, 0.1],
          [5, 0.01],
        ],
      },
    ],
  },
  "multi-step": {
    defaults: {
      lr: high,
      milestones: halfAndThreeQuarters,
      gamma: {
        says: "square root of low end over high end of lrRange",
        of: ({ lrRange }) => Math.sqrt(lrRange[0] / lrRange[1]),
      },
    },
    schedule: ({ lr, gamma, milestones }) => multiStep(lr, gamma, milestones),
    check: ({ milestones }) => ascending(milestones, "/milestones", "milestones"),
    lint: ({ milestones }, { past }) => past(milestones, "/milestones"),
    translations: {
      pytorch: ({ lr, milestones, gamma }, { base }) => fits(base, lr, { type: "MultiStepLR", lr, milestones, gamma }),
      "hugging-face": null,
      optax: ({ lr, gamma, milestones }) => atBoundaries(lr, gamma, milestones),
    },
    values: [
      {
        given: { lr: 1, milestones: [2, 5, 5], gamma: 0.5 },
        lr: [
          [1, 1],
          [2, 0.5],
          [4, 0.5],
          [5, 0.125],
          [99, 0.125],
        ],
      },
    ],
  },
  exponential: {
    defaults: { lr: high, gamma: decayPerStep },
    schedule: (spec) => {
      const times = decayed(spec);
      return (step) => spec.lr * pow(spec.gamma, times(step));
    },
    check: null,
    lint: null,
    translations: {
      pytorch: ({ lr, gamma, decaySteps, staircase }, { base }) =>
        staircase
          ? fits(base, lr, { type: "StepLR", lr, stepSize: decaySteps, gamma })
          : fits(base, lr, { type: "ExponentialLR", lr, gamma: pow(gamma, 1 / decaySteps) }),
      "hugging-face": null,
      optax: ({ lr: initValue, gamma: decayRate, decaySteps: transitionSteps, staircase }) => ({
        type: "optax/exponential_decay",
        initValue,
        transitionSteps,
        decayRate,
        staircase,
      }),
    },
    values: [
      {
        given: { lr: 2, gamma: 0.25, decaySteps: 2 },
        lr: [
          [0, 2],
          [1, 1],
          [2, 0.5],
          [4, 0.125],
        ],
      },
      {
        given: { lr: 2, gamma: 0.25, decaySteps: 2, staircase: true },
        lr: [
          [1, 2],
          [2, 0.5],
          [3, 0.5],
        ],
      },
    ],
  },
  "inverse-time": {
    defaults: {
      lr: high,
      rate: { says: "reaches the low end of lrRange in decaySteps", of: ({ lrRange: [from, to] }) => to / from - 1 },
      decaySteps: runSteps,
    },
    schedule: (spec) => {
      const times = decayed(spec);
      return (step) => spec.lr / (1 + spec.rate * times(step));
    },
    check: null,
    lint: null,
    translations: UNTRANSLATED,
    values: [
      {
        given: { lr: 1, rate: 0.5, decaySteps: 10 },
        lr: [
          [0, 1],
          [10, 0.6666666667],
          [20, 0.5],
        ],
      },
      {
        given: { lr: 1, rate: 0.5, decaySteps: 10, staircase: true },
        lr: [
          [9, 1],
          [19, 0.6666666667],
        ],
      },
    ],
  },
  "inverse-sqrt": {
    defaults: {
      lr: high,
      timescale: {
        says: "reaches the low end of lrRange at the run's end",
        of: ({ steps, lrRange: [from, to] }) => (from < to ? steps / ((to / from) ** 2 - 1) : 1e12),
      },
    },
    schedule:
      ({ lr, timescale }) =>
      (step) =>
        lr / Math.sqrt((step + timescale) / timescale),
    check: null,
    lint: null,
    translations: {
      pytorch: null,
      "hugging-face": ({ lr, timescale }, { numWarmupSteps }) =>
        Number.isInteger(timescale) ? { type: "hf/inverse_sqrt", lr, numWarmupSteps, timescale } : null,
      optax: null,
    },
    values: [
      {
        given: { lr: 1, timescale: 4 },
        lr: [
          [0, 1],
          [12, 0.5],
          [32, 0.3333333333],
        ],
      },
    ],
  },
} satisfies { readonly [T in NativeType]?: NativeDefinition<T> };
