import type { NativeType } from "../../../schemas/schedule.js";
import { cosine, line, oneMinusSqrt } from "../curves.js";
import { type NativeDefinition, UNTRANSLATED } from "../definition.js";
import { ladder } from "../ladder.js";
import { high, low, part, runSteps } from "../run-defaults.js";
import { ratio } from "../translate.js";

/** Those with a warm-up, and the range test. */
export const PLANS = {
  "warmup-stable-decay": {
    defaults: {
      lr: high,
      startLr: low,
      endLr: low,
      warmupSteps: part(0.1, 0),
      decaySteps: part(0.2, 0),
      stableSteps: {
        says: "what warm-up and decay leave of the run's steps",
        of: ({ steps }, given) => Math.max(0, steps - Number(given.warmupSteps) - Number(given.decaySteps)),
      },
    },
    schedule: ({ lr, startLr, endLr, warmupSteps, stableSteps, decaySteps, decay }) => {
      const up = line(startLr, lr, warmupSteps);
      const shapes = { linear: line, cosine, "one-minus-sqrt": oneMinusSqrt };
      const down = shapes[decay](lr, endLr, decaySteps);
      return (step) => {
        if (step < warmupSteps) return up(step);
        const decayed = step - warmupSteps - stableSteps;
        if (decayed < 0) return lr;
        return decayed < decaySteps ? down(decayed) : endLr;
      };
    },
    check: null,
    lint: ({ warmupSteps, stableSteps, decaySteps }, { warmup }) =>
      warmup(warmupSteps, "/warmupSteps", { after: stableSteps + decaySteps }),
    translations: {
      pytorch: null,
      "hugging-face": ({ lr, startLr, endLr, decay, ...spans }, { numWarmupSteps }) => {
        if (numWarmupSteps > 0 || (spans.warmupSteps > 0 && startLr !== endLr)) return null;
        return {
          type: "hf/warmup_stable_decay",
          lr,
          numWarmupSteps: spans.warmupSteps,
          numStableSteps: spans.stableSteps,
          numDecaySteps: spans.decaySteps,
          decayType: decay === "one-minus-sqrt" ? "1-sqrt" : decay,
          minLrRatio: ratio(endLr, lr),
        };
      },
      optax: null,
    },
    values: [
      {
        given: { lr: 1, startLr: 0, endLr: 0.2, warmupSteps: 2, stableSteps: 3, decaySteps: 4 },
        lr: [
          [0, 0],
          [1, 0.5],
          [2, 1],
          [4, 1],
          [5, 1],
          [6, 0.6],
          [9, 0.2],
          [99, 0.2],
        ],
      },
      {
        given: { lr: 1, startLr: 0, endLr: 0, warmupSteps: 0, stableSteps: 1, decaySteps: 4, decay: "linear" },
        lr: [
          [0, 1],
          [1, 1],
          [2, 0.75],
          [3, 0.5],
          [5, 0],
        ],
      },
      {
        given: { lr: 1, startLr: 0, endLr: 0, warmupSteps: 0, stableSteps: 0, decaySteps: 3, decay: "cosine" },
        lr: [
          [0, 1],
          [1, 0.75],
          [2, 0.25],
          [3, 0],
        ],
      },
    ],
  },
  noam: {
    defaults: { lr: high, warmupSteps: part(0.1) },
    schedule:
      ({ lr, warmupSteps }) =>
      (step) =>
        lr * Math.min((step + 1) / warmupSteps, Math.sqrt(warmupSteps / (step + 1))),
    check: null,
    lint: null,
    translations: UNTRANSLATED,
    values: [
      {
        given: { lr: 0.2, warmupSteps: 4 },
        lr: [
          [0, 0.05],
          [3, 0.2],
          [15, 0.1],
        ],
      },
    ],
  },
  sweep: {
    defaults: { start: low, end: high, steps: runSteps },
    schedule: ladder,
    check: null,
    lint: ({ steps }, { unfinished }) => unfinished(steps, "/steps"),
    translations: UNTRANSLATED,
    values: [
      {
        given: { start: 0.001, end: 1, steps: 4 },
        lr: [
          [0, 0.001],
          [1, 0.01],
          [3, 1],
          [9, 1],
        ],
      },
      {
        given: { start: 1, end: 3, steps: 4, spacing: "linear", convention: "ignite" },
        lr: [
          [0, 1.5],
          [3, 3],
        ],
      },
    ],
  },
} satisfies { readonly [T in NativeType]?: NativeDefinition<T> };
