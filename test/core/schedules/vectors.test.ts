import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPolicy } from "../../../src/core/schedules/build.js";
import type { ScheduleRequest } from "../../../src/schemas/schedule.js";
import { resolved } from "./golden.js";

/*
 * A second witness beside the golden files: rates written down by hand from runs of PyTorch 2.13 and transformers 5.18, to
 * the digits shown there.
 */
const VECTORS: readonly [string, ScheduleRequest, readonly number[]][] = [
  ["LinearLR's defaults", { type: "LinearLR", lr: 0.1 }, [0.0333333, 0.0466667, 0.06, 0.0733333, 0.0866667, 0.1, 0.1]],
  [
    "PolynomialLR",
    { type: "PolynomialLR", lr: 0.1, totalIters: 8, power: 2 },
    [0.1, 0.0765625, 0.05625, 0.0390625, 0.025, 0.0140625, 0.00625, 0.0015625, 0, 0],
  ],
  [
    "CosineAnnealingLR and its rebound",
    { type: "CosineAnnealingLR", lr: 0.1, tMax: 5, etaMin: 0.01 },
    [0.1, 0.091405765, 0.068905765, 0.041094235, 0.018594235, 0.01, 0.018594235, 0.041094235],
  ],
  [
    "CosineAnnealingWarmRestarts",
    { type: "CosineAnnealingWarmRestarts", lr: 0.1, t0: 4, tMult: 2 },
    [
      0.1, 0.085355339, 0.05, 0.014644661, 0.1, 0.096193977, 0.085355339, 0.069134172, 0.05, 0.030865828, 0.014644661,
      0.0038060234, 0.1,
    ],
  ],
  [
    "CyclicLR triangular2",
    { type: "CyclicLR", baseLr: 0.01, maxLr: 0.1, stepSizeUp: 2, mode: "triangular2" },
    [0.01, 0.055, 0.1, 0.055, 0.01, 0.0325, 0.055, 0.0325, 0.01, 0.02125],
  ],
  [
    "CyclicLR exp_range",
    { type: "CyclicLR", baseLr: 0.01, maxLr: 0.1, stepSizeUp: 2, mode: "exp_range", gamma: 0.9 },
    [0.01, 0.0505, 0.0829, 0.042805, 0.01, 0.03657205, 0.05782969],
  ],
  [
    "OneCycleLR",
    { type: "OneCycleLR", maxLr: 0.1, totalSteps: 10 },
    [0.004, 0.052, 0.1, 0.095048463, 0.081174565, 0.061126202, 0.038874198, 0.018825835, 0.0049519368, 4e-7],
  ],
  [
    "SequentialLR",
    {
      type: "SequentialLR",
      lr: 0.1,
      schedulers: [
        { type: "LinearLR", startFactor: 0.1, totalIters: 4 },
        { type: "CosineAnnealingLR", tMax: 6 },
      ],
      milestones: [4],
    },
    [0.01, 0.0325, 0.055, 0.0775, 0.1, 0.09330127, 0.075, 0.05, 0.025, 0.0066987298, 0, 0.0066987298],
  ],
  [
    "ChainedScheduler",
    {
      type: "ChainedScheduler",
      lr: 0.1,
      schedulers: [
        { type: "ConstantLR", factor: 0.1, totalIters: 4 },
        { type: "ExponentialLR", gamma: 0.9 },
      ],
    },
    [0.01, 0.009, 0.0081, 0.00729, 0.06561, 0.059049],
  ],
  [
    "hf/linear",
    { type: "hf/linear", lr: 1, numWarmupSteps: 2, numTrainingSteps: 10 },
    [0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0],
  ],
  [
    "hf/cosine_with_restarts",
    { type: "hf/cosine_with_restarts", lr: 1, numWarmupSteps: 2, numTrainingSteps: 10, numCycles: 2 },
    [0, 0.5, 1, 0.853553, 0.5, 0.146447, 1, 0.853553, 0.5, 0.146447, 0],
  ],
  [
    "hf/warmup_stable_decay",
    {
      type: "hf/warmup_stable_decay",
      lr: 1,
      numWarmupSteps: 2,
      numStableSteps: 4,
      numDecaySteps: 4,
      minLrRatio: 0.1,
      decayType: "1-sqrt",
    },
    [0.1, 0.55, 1, 1, 1, 1, 1, 0.55, 0.363604, 0.220577, 0.1],
  ],
  [
    "hf/inverse_sqrt",
    { type: "hf/inverse_sqrt", lr: 1, numWarmupSteps: 4 },
    [0, 0.25, 0.5, 0.75, 1, 0.894427, 0.816497, 0.755929],
  ],
];

for (const [name, request, expected] of VECTORS) {
  test(`${name}: the rates of the first steps`, () => {
    const policy = buildPolicy(resolved(request, expected.length));
    expected.forEach((lr, step) => {
      const digits = Math.max(6, String(lr).replace(/^0\.0*|e.*/g, "").length);
      assert.equal(Number(policy.lr(null, step).toPrecision(digits)), lr, `step ${step}`);
    });
  });
}

test("OneCycleLR in three linear phases peaks at step 5, is back at 10 and ends at 19", () => {
  const request = {
    type: "OneCycleLR",
    maxLr: 0.1,
    totalSteps: 20,
    threePhase: true,
    annealStrategy: "linear",
  } as const;
  const { lr } = buildPolicy(resolved(request, 20));
  const rates = [0, 1, 5, 10, 11, 19].map((step) => Number(lr(null, step).toPrecision(5)));
  assert.deepEqual(rates, [0.004, 0.0232, 0.1, 0.004, 0.0035556, 4e-7]);
});

test("ReduceLROnPlateau waits for more than `patience` bad observations, and cools down", () => {
  const request = { type: "ReduceLROnPlateau", lr: 0.1, factor: 0.5, patience: 2, cooldown: 1 } as const;
  const policy = buildPolicy(resolved(request));
  let state = policy.init();
  const losses = [...new Array(9).fill(1), ...new Array(4).fill(0.5)];
  const rates = losses.map((loss, i) => {
    state = policy.next(state, { step: i + 1, loss });
    return policy.lr(state, i + 1);
  });
  assert.deepEqual(rates, [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025, 0.025, 0.0125]);
});
