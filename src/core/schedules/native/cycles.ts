import type { NativeType } from "../../../schemas/schedule.js";
import { refuse } from "../checks.js";
import { cosine, cyclic, oneCycle, roundAt } from "../curves.js";
import type { NativeDefinition } from "../definition.js";
import { high, low, part, runSteps, same } from "../run-defaults.js";
import { fits, ratio } from "../translate.js";

/** Cycles of an SGDR that fit one optax/sgdr_schedule. */
const MAX_CYCLES = 64;

/** Cosines, and those that go up and down. */
export const CYCLES = {
  cyclic: {
    defaults: { baseLr: low, maxLr: high, stepSizeUp: part(1 / 8), stepSizeDown: same("stepSizeUp") },
    schedule: cyclic,
    check: ({ baseLr, maxLr }) => refuse(baseLr > maxLr, "/maxLr", "at least baseLr"),
    lint: null,
    translations: {
      pytorch: (spec) => ({ ...spec, type: "CyclicLR", cycleMomentum: false }),
      "hugging-face": null,
      optax: null,
    },
    values: [
      {
        given: { baseLr: 1, maxLr: 3, stepSizeUp: 2, stepSizeDown: 4 },
        lr: [
          [0, 1],
          [1, 2],
          [2, 3],
          [4, 2],
          [6, 1],
          [8, 3],
        ],
      },
      {
        given: { baseLr: 1, maxLr: 3, stepSizeUp: 2, mode: "triangular2" },
        lr: [
          [2, 3],
          [4, 1],
          [6, 2],
          [10, 1.5],
        ],
      },
      {
        given: { baseLr: 1, maxLr: 3, stepSizeUp: 2, mode: "exp_range", gamma: 0.5 },
        lr: [
          [1, 1.5],
          [2, 1.5],
          [4, 1],
        ],
      },
    ],
  },
  cosine: {
    defaults: { lr: high, minLr: low, steps: runSteps },
    schedule: ({ lr, minLr, steps }) => cosine(lr, minLr, steps),
    check: null,
    lint: ({ steps }, { rebound, unfinished }) => {
      rebound(steps, "/steps");
      unfinished(steps, "/steps");
    },
    translations: {
      pytorch: ({ lr, minLr, steps }, { base }) =>
        fits(base, lr, { type: "CosineAnnealingLR", lr, tMax: steps, etaMin: minLr }),
      "hugging-face": ({ lr, minLr, steps }, { numWarmupSteps }) => {
        const until = { numWarmupSteps, numTrainingSteps: numWarmupSteps + steps };
        return minLr === 0
          ? { type: "hf/cosine", lr, ...until }
          : { type: "hf/cosine_with_min_lr", lr, minLr, ...until };
      },
      optax: ({ lr: initValue, minLr, steps: decaySteps }) => ({
        type: "optax/cosine_decay_schedule",
        initValue,
        decaySteps,
        alpha: ratio(minLr, initValue),
      }),
    },
    // cos(pi / 3) = 1/2; past the end it climbs back.
    values: [
      {
        given: { lr: 1, minLr: 0.2, steps: 3 },
        lr: [
          [0, 1],
          [1, 0.8],
          [2, 0.4],
          [3, 0.2],
          [4, 0.4],
          [6, 1],
        ],
      },
    ],
  },
  "cosine-warm-restarts": {
    defaults: { lr: high, minLr: low, period: part(0.25) },
    schedule:
      ({ lr, minLr, period, growth }) =>
      (step) => {
        const { at, length } = roundAt(step, period, growth);
        return cosine(lr, minLr, length)(at);
      },
    check: null,
    lint: null,
    translations: {
      pytorch: ({ lr, minLr: etaMin, period: t0, growth: tMult }, { base }) =>
        fits(base, lr, { type: "CosineAnnealingWarmRestarts", lr, t0, tMult, etaMin }),
      "hugging-face": null,
      optax: ({ lr: peakValue, minLr: endValue, period, growth }, { steps }) => {
        const cosineKwargs: object[] = [];
        let length = period;
        for (let begin = 0; begin < steps; begin += length, length *= growth) {
          if (cosineKwargs.length > 0) length = Math.min(length, 10_000_000);
          cosineKwargs.push({ peakValue, warmupSteps: 0, decaySteps: length, endValue });
          if (cosineKwargs.length > MAX_CYCLES) return null;
        }
        return { type: "optax/sgdr_schedule", cosineKwargs };
      },
    },
    values: [
      {
        given: { lr: 1, minLr: 0, period: 3, growth: 2 },
        lr: [
          [0, 1],
          [1, 0.75],
          [2, 0.25],
          [3, 1],
          [5, 0.75],
          [7, 0.25],
          [9, 1],
        ],
      },
    ],
  },
  "one-cycle": {
    defaults: { initialLr: low, maxLr: high, finalLr: low, steps: runSteps },
    schedule: (spec) => oneCycle(spec),
    check: null,
    lint: ({ steps }, { unfinished }) => unfinished(steps, "/steps"),
    translations: {
      pytorch: ({ initialLr, maxLr, finalLr, steps, pctStart, anneal, threePhase }) => ({
        type: "OneCycleLR",
        maxLr,
        totalSteps: steps,
        pctStart,
        annealStrategy: anneal,
        threePhase,
        cycleMomentum: false,
        divFactor: maxLr / initialLr,
        finalDivFactor: initialLr / finalLr,
      }),
      "hugging-face": null,
      optax: null,
    },
    // Up until 0.5 * 10 - 1 = 4, down until 10 - 1 = 9.
    values: [
      {
        given: { initialLr: 1, maxLr: 3, finalLr: 0, steps: 10, pctStart: 0.5, anneal: "linear" },
        lr: [
          [0, 1],
          [2, 2],
          [4, 3],
          [5, 2.4],
          [9, 0],
          [99, 0],
        ],
      },
      {
        given: { initialLr: 1, maxLr: 3, finalLr: 0.5, steps: 13, pctStart: 5 / 13, threePhase: true },
        lr: [
          [0, 1],
          [2, 2],
          [4, 3],
          [6, 2],
          [8, 1],
          [10, 0.75],
          [12, 0.5],
        ],
      },
    ],
  },
} satisfies { readonly [T in NativeType]?: NativeDefinition<T> };
