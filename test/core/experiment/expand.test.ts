import assert from "node:assert/strict";
import { test } from "node:test";
import Ajv from "ajv";
import { fieldErrors } from "../../../src/api/http/field-errors.js";
import { type Experiment, expandExperiment } from "../../../src/core/experiment/expand.js";
import { withField } from "../../../src/core/experiment/fields.js";
import { resolveRun } from "../../../src/core/resolve.js";
import {
  type ArmRequest,
  ArmRequestSchema,
  type ExperimentRequest,
  ExperimentRequestSchema,
} from "../../../src/schemas/experiment.js";
import type { RunRequest } from "../../../src/schemas/run.js";
import { ScheduleRequestDefinition } from "../../../src/schemas/schedule.js";

const ajv = new Ajv.default({ verbose: true, discriminator: true, strict: false, allErrors: true });
ajv.addSchema(ScheduleRequestDefinition);
const validArm = ajv.compile(ArmRequestSchema);
const validRequest = ajv.compile(ExperimentRequestSchema);
const NAMES = { name: "names", digest: "0", vocabSize: 27, trainExamples: 180_000, examples: 225_000 };

/** As the API checks an arm: its shape, then what a schema cannot say. */
function check(arm: ArmRequest) {
  if (!validArm(arm)) return fieldErrors(validArm.errors!);
  const resolved = resolveRun(arm as RunRequest, NAMES, 0);
  return resolved.ok ? [] : resolved.errors;
}

function expanded(request: ExperimentRequest): Experiment {
  assert.ok(validRequest(request), JSON.stringify(validRequest.errors));
  const result = expandExperiment(request, check);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

function refused(request: ExperimentRequest): string[] {
  assert.ok(validRequest(request), JSON.stringify(validRequest.errors));
  const result = expandExperiment(request, check);
  return result.ok ? [] : result.errors.map(({ pointer }) => pointer);
}

test("a grid gives an arm for each combination, the last field changing fastest", () => {
  const { arms, seeds, baseline, confidence } = expanded({
    base: { steps: 100, model: { activation: "relu" } },
    grid: {
      schedule: ["cosine", { type: "constant", lr: 0.1 }],
      "optimizer.momentum": [0, 0.9],
      "model.hiddenSizes": [[50, 20]],
    },
  });
  assert.deepEqual(
    arms.map(({ name }) => name),
    [
      "schedule=cosine optimizer.momentum=0",
      "schedule=cosine optimizer.momentum=0.9",
      "schedule=constant(lr 0.1) optimizer.momentum=0",
      "schedule=constant(lr 0.1) optimizer.momentum=0.9",
    ],
  );
  assert.deepEqual(arms[3]!.request, {
    steps: 100,
    model: { activation: "relu", hiddenSizes: [50, 20] },
    schedule: { type: "constant", lr: 0.1 },
    optimizer: { type: "sgd", momentum: 0.9 },
  });
  assert.deepEqual([seeds, baseline, confidence], [[0, 1, 2, 3, 4, 5, 6, 7], 0, 0.98]);
});

test("a path goes into a schedule's name, into whatever another field of the grid put there, and into lists", () => {
  const { arms } = expanded({
    base: { steps: 100, schedule: "cosine" },
    grid: { "schedule.lr": [0.1, 0.2], schedule: ["constant", "cosine"] },
  });
  assert.deepEqual(
    arms.map(({ request }) => request.schedule),
    [
      { type: "constant", lr: 0.1 },
      { type: "cosine", lr: 0.1 },
      { type: "constant", lr: 0.2 },
      { type: "cosine", lr: 0.2 },
    ],
  );
  const base: ArmRequest = { steps: 9, schedule: { type: "sequential", schedules: ["constant", "cosine"] } };
  assert.deepEqual(withField(base, "schedule.schedules.1.lr", 0.3)!.schedule, {
    type: "sequential",
    schedules: ["constant", { type: "cosine", lr: 0.3 }],
  });
  assert.deepEqual(base.schedule, { type: "sequential", schedules: ["constant", "cosine"] });
  for (const path of ["schedule.schedules.2", "schedule.schedules.length", "steps.x", "steps.x.y"]) {
    assert.equal(withField(base, path, 1), null, path);
  }
});

test("what a path into a missing choice implies is what a run without that choice gets", () => {
  const plain = resolveRun({ steps: 9 }, NAMES, 0);
  assert.ok(plain.ok);
  for (const [path, value] of [
    ["schedule.lr", 0.1],
    ["optimizer.weightDecay", 0],
  ] as const) {
    const resolved = resolveRun(withField({ steps: 9 }, path, value) as RunRequest, NAMES, 0);
    assert.ok(resolved.ok);
    assert.deepEqual(resolved.value, plain.value);
  }
});

test("specs keep their names; those without are named by what sets them apart", () => {
  const { arms } = expanded({
    specs: [
      { steps: 100, batchSize: 32 },
      { steps: 100, schedule: "cosine", model: { hiddenSizes: [50], activation: "relu" } },
      { steps: 100, batchSize: 64, name: "large" },
      { steps: 100 },
    ],
  });
  assert.deepEqual(
    arms.map(({ name }) => name),
    ["batchSize=32", "schedule=cosine model.hiddenSizes=[50] model.activation=relu", "large", "defaults"],
  );
  assert.ok(!("name" in arms[2]!.request));
});

test("names are of one arm each and no longer than a name may be", () => {
  const { arms } = expanded({
    specs: [
      { steps: 1, name: "batchSize=2" },
      { steps: 1, batchSize: 2 },
    ],
  });
  assert.deepEqual(
    arms.map(({ name }) => name),
    ["batchSize=2", "batchSize=2 (1)"],
  );
  const rates = Array.from({ length: 90 }, (_, i) => ({ type: "constant", lr: (i + 1) / 1000 }));
  const long = expanded({
    base: { steps: 100 },
    grid: {
      schedule: [12, 14].map((count) => ({
        type: "sequential",
        schedules: rates.slice(0, count),
        milestones: rates.slice(1, count).map((_, i) => i + 1),
      })),
    },
  } as ExperimentRequest);
  assert.deepEqual(
    long.arms.map(({ name }) => name),
    ["arm 0", "arm 1"],
  );
});

test("errors name the field of the experiment's request", () => {
  const base = { steps: 100 };
  assert.deepEqual(refused({ base, grid: { batchSizee: [1, 2] } }), ["/grid/batchSizee"]);
  assert.deepEqual(refused({ base, grid: { batchSize: [1, -2, 3] } }), ["/grid/batchSize/1"]);
  assert.deepEqual(refused({ base, grid: { batchSize: [1, -2], "model.hidden": [1, 2] } }), [
    "/grid/model.hidden",
    "/grid/batchSize/1",
  ]);
  assert.deepEqual(refused({ base, grid: { "optimizer.momentum": [0, 2] } }), ["/grid/optimizer.momentum/1"]);
  assert.deepEqual(refused({ base, grid: { schedule: ["cosine", { type: "linear", lr: "x" }] } }), [
    "/grid/schedule/1/lr",
  ]);
  assert.deepEqual(refused({ base, grid: { "steps.x": [1, 2] } }), ["/grid/steps.x"]);
  assert.deepEqual(refused({ base, grid: { "engine.x": [1, 2] } }), ["/grid/engine.x"]);
  assert.deepEqual(refused({ base, grid: { seed: [1, 2] } }), ["/grid/seed"]);
  assert.deepEqual(refused(JSON.parse('{"base":{"steps":1},"grid":{"__proto__.x":[1,2]}}')), ["/grid/__proto__.x"]);
  // What only arithmetic shows, and lies in the base.
  const costly = { steps: 10_000_000, batchSize: 16_384, model: { hiddenSizes: [1024] } };
  assert.deepEqual(refused({ base: costly, grid: { evalEvery: [0, 10] } }), ["/base/steps"]);
  assert.deepEqual(refused({ specs: [base, costly] }), ["/specs/1/steps"]);
});

test("arms that would train the same are refused, and so are equal names", () => {
  const base = { steps: 100 };
  assert.deepEqual(refused({ base, grid: { batchSize: [8, 16, 8] } }), ["/grid/batchSize/2"]);
  const twins = [
    { steps: 100, batchSize: 8 },
    { batchSize: 8, steps: 100, name: "other" },
  ];
  assert.deepEqual(refused({ specs: twins }), ["/specs/1"]);
  assert.deepEqual(
    refused({
      specs: [
        { ...base, name: "a" },
        { ...base, batchSize: 8, name: "a" },
      ],
    }),
    ["/specs/1/name"],
  );
});

test("arms that are alike and named are a control; an offset gives one other seeds", () => {
  const base = { steps: 100 };
  const control = expanded({
    specs: [
      { ...base, name: "A" },
      { ...base, name: "A again" },
    ],
  });
  assert.deepEqual(control.arms[0]!.request, control.arms[1]!.request);
  assert.deepEqual(refused({ specs: [{ ...base, name: "A" }, base] }), ["/specs/1"]);
  const { arms } = expanded({ specs: [base, { ...base, seedOffset: 8 }] });
  assert.deepEqual(
    arms.map(({ name, seedOffset, request }) => [name, seedOffset, request]),
    [
      ["defaults", 0, base],
      ["seedOffset=8", 8, base],
    ],
  );
});

test("all arms have one dataset, and a base is no larger than its arms allow", () => {
  const base = { steps: 100 };
  assert.deepEqual(refused({ specs: [base, { ...base, dataset: "towns" }] }), ["/specs/1/dataset"]);
  assert.deepEqual(refused({ base, grid: { dataset: ["names", "towns"] } }), ["/grid/dataset/1"]);
  const long: ArmRequest = {
    steps: 100,
    schedule: { type: "piecewise", points: Array.from({ length: 1000 }, (_, i) => [i, 0.123456789012345]) } as never,
  };
  const batches = Array.from({ length: 200 }, (_, i) => i + 1);
  assert.deepEqual(refused({ base: long, grid: { batchSize: batches } }), ["/base"]);
});

test("either specs, or a base and a grid; a baseline that there is; no more than the limits", () => {
  const base = { steps: 100 };
  const specs = [base, { steps: 200 }];
  const grid = { batchSize: [1, 2] };
  assert.deepEqual(refused({}), ["/base"]);
  assert.deepEqual(refused({ base }), ["/grid"]);
  assert.deepEqual(refused({ specs, base }), ["/base"]);
  assert.deepEqual(refused({ specs, grid }), ["/grid"]);
  assert.deepEqual(refused({ base, grid: { batchSize: [1] } }), ["/grid"]);
  const many = Array.from({ length: 15 }, (_, i) => i + 1);
  assert.deepEqual(refused({ base, grid: { batchSize: many, steps: many } }), ["/grid"]);
  assert.deepEqual(refused({ specs, baseline: 2 }), ["/baseline"]);
  assert.deepEqual(refused({ specs, baseline: "large" }), ["/baseline"]);
  assert.equal(expanded({ specs, baseline: "steps=200" }).baseline, 1);
  assert.deepEqual(refused({ base, grid: { batchSize: many }, seeds: 134 }), ["/seeds"]);
  assert.equal(expanded({ base, grid: { batchSize: many }, seeds: 133 }).seeds.length, 133);
  assert.deepEqual(expanded({ specs, seeds: [9, 3] }).seeds, [3, 9]);
  for (const wrong of [{ seeds: [1, 1] }, { seeds: 1 }, { confidence: 1 }, { metric: "trainLoss" }, { other: 1 }]) {
    assert.equal(validRequest({ specs, ...wrong }), false, JSON.stringify(wrong));
  }
  for (const wrong of [{ seed: 1 }, { replicas: 2 }, { from: {} }, { batchSizee: 1 }]) {
    assert.equal(validRequest({ specs: [base, { ...base, ...wrong }] }), false, JSON.stringify(wrong));
  }
});
