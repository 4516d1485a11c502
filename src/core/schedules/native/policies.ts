import type { NativeType } from "../../../schemas/schedule.js";
import { refuse } from "../checks.js";
import { type NativeDefinition, UNTRANSLATED } from "../definition.js";
import { greedy, reduceOnPlateau } from "../policies.js";
import { every, high, low, middle } from "../run-defaults.js";
import type { LrPolicy } from "../schedule.js";

/** Those driven by the loss. Translations there are none: the libraries' rules differ. */
export const POLICIES = {
  "reduce-on-plateau": {
    defaults: { lr: high, minLr: low, every },
    policy: (spec) => reduceOnPlateau(spec) as LrPolicy,
    check: null,
    lint: null,
    translations: UNTRANSLATED,
    // The third bad observation in a row is one too many; then one is not counted.
    values: [
      {
        given: { lr: 1, factor: 0.5, patience: 2, cooldown: 1, minLr: 0.2 },
        losses: [1, 1, 1, 1, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6],
        lr: [
          [0, 1],
          [3, 1],
          [4, 0.5],
          [7, 0.5],
          [8, 0.25],
          [11, 0.25],
          [12, 0.2],
        ],
      },
    ],
  },
  greedy: {
    defaults: { lr: middle, minLr: low, maxLr: high, every },
    policy: (spec) => greedy(spec) as LrPolicy,
    check: ({ minLr, maxLr }) => refuse(minLr > maxLr, "/maxLr", "at least minLr"),
    lint: null,
    translations: UNTRANSLATED,
    // Doubled by the second better loss in a row, halved by the second worse one.
    values: [
      {
        given: { lr: 1, factor: 0.5, patience: 1, minLr: 0.4, maxLr: 3 },
        losses: [5, 4, 3, 2, 9, 9, 9, 9, 9, 9],
        lr: [
          [0, 1],
          [1, 1],
          [2, 2],
          [3, 2],
          [4, 3],
          [5, 3],
          [6, 1.5],
          [8, 0.75],
          [10, 0.4],
        ],
      },
    ],
  },
} satisfies { readonly [T in NativeType]?: NativeDefinition<T> };
