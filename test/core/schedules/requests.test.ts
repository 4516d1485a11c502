import assert from "node:assert/strict";
import { test } from "node:test";
import Ajv from "ajv";
import { autoRatePaths, substituteRate } from "../../../src/core/schedules/auto-rate.js";
import { buildSchedule } from "../../../src/core/schedules/build.js";
import { resolveSchedule } from "../../../src/core/schedules/resolve.js";
import {
  SCHEDULE_SCHEMAS,
  type ScheduleRequest,
  ScheduleRequestDefinition,
  ScheduleRequestSchema,
  ScheduleSpecDefinition,
  ScheduleSpecSchema,
  type ScheduleType,
} from "../../../src/schemas/schedule.js";
import { resolved } from "./golden.js";

const ajv = new Ajv.default({ allErrors: true, discriminator: true, strict: false });
ajv.addSchema([ScheduleRequestDefinition, ScheduleSpecDefinition]);
const isRequest = ajv.compile(ScheduleRequestSchema);
const isSpec = ajv.compile(ScheduleSpecSchema);

const context = { steps: 1000, lrRange: [0.001, 0.1] } as const;
const leaf = { type: "cosine" };
/** What the types without a default for it must be given. */
const NEEDED: Partial<Record<ScheduleType, object>> = {
  lambda: { factor: "0.99 ** t" },
  multiplicative: { factor: [[10, 0.99]] },
  sequential: { schedules: ["linear", leaf], milestones: [100] },
  chained: { schedules: ["exponential", leaf] },
  repeat: { schedule: leaf },
  clamp: { schedule: leaf },
  warmup: { schedule: leaf },
  override: { schedule: leaf, rates: [[3, 0.5]] },
  LambdaLR: { lrLambda: "0.99 ** t" },
  MultiplicativeLR: { lrLambda: "0.99" },
  SequentialLR: { schedulers: ["LinearLR", "CosineAnnealingLR"], milestones: [5] },
  ChainedScheduler: { schedulers: ["LinearLR", "ExponentialLR"] },
  "optax/sgdr_schedule": { cosineKwargs: [{ peakValue: 0.1, warmupSteps: 10, decaySteps: 500 }] },
  "optax/join_schedules": { schedules: ["optax/linear_schedule", "constant"], boundaries: [500] },
};

for (const type of Object.keys(SCHEDULE_SCHEMAS) as ScheduleType[]) {
  test(`${type}: a request with nothing that has a default resolves to a spec that its schema accepts`, () => {
    const request = { type, ...NEEDED[type] } as ScheduleRequest;
    assert.ok(isRequest(request), JSON.stringify(isRequest.errors));
    const result = resolveSchedule(request, context);
    assert.ok(result.ok, JSON.stringify(result));
    assert.ok(isSpec(result.value), JSON.stringify(isSpec.errors));
    const again = resolveSchedule(result.value as ScheduleRequest, context);
    assert.deepEqual(again, result, "resolving is idempotent");
    if (NEEDED[type] !== undefined)
      assert.equal(resolveSchedule(type, context).ok, false, "what is needed is asked for");
  });
}

const refusals: readonly [ScheduleRequest, string][] = [
  [{ type: "step", stepSize: 5, milestones: [5] }, "/milestones"],
  [{ type: "multi-step", milestones: [5, 4] }, "/milestones/1"],
  [{ type: "MultiStepLR", milestones: [9, 20, 4] }, "/milestones/2"],
  [
    {
      type: "piecewise",
      points: [
        [0, 1],
        [0, 2],
      ],
    },
    "/points/1/0",
  ],
  [
    {
      type: "override",
      schedule: "constant",
      rates: [
        [5, 1],
        [4, 1],
      ],
    },
    "/rates/1/0",
  ],
  [{ type: "cyclic", baseLr: 1, maxLr: 0.1 }, "/maxLr"],
  [{ type: "clamp", schedule: "constant", min: 1, max: 0.1 }, "/max"],
  [{ type: "greedy", minLr: 1, maxLr: 0.1 }, "/maxLr"],
  [{ type: "sequential", schedules: ["constant"], milestones: [4] }, "/milestones"],
  [{ type: "SequentialLR", schedulers: ["LinearLR", "StepLR", "StepLR"], milestones: [9, 4] }, "/milestones/1"],
  [
    { type: "SequentialLR", schedulers: ["LinearLR", { type: "ReduceLROnPlateau" }], milestones: [9] },
    "/schedulers/1/type",
  ],
  [
    { type: "SequentialLR", lr: 1, schedulers: [{ type: "StepLR", lr: 2 }, "SWALR"], milestones: [9] },
    "/schedulers/0/lr",
  ],
  [{ type: "ChainedScheduler", schedulers: ["SWALR"] }, "/schedulers/0/type"],
  [{ type: "ChainedScheduler", schedulers: ["CyclicLR"] }, "/schedulers/0/type"],
  [{ type: "ChainedScheduler", lr: 1, schedulers: [{ type: "StepLR", lr: 2 }] }, "/schedulers/0/lr"],
  [{ type: "chained", schedules: [{ type: "constant", lr: 0 }] }, "/schedules/0"],
  [
    { type: "warmup", schedule: { type: "clamp", schedule: { type: "cyclic", baseLr: 9 } } },
    "/schedule/schedule/maxLr",
  ],
  [{ type: "OneCycleLR", epochs: 3 }, "/stepsPerEpoch"],
  [{ type: "OneCycleLR", epochs: 3, stepsPerEpoch: 4, totalSteps: 13 }, "/totalSteps"],
  [{ type: "hf/polynomial", lr: 0.1, lrEnd: 0.1 }, "/lrEnd"],
  [{ type: "hf/cosine_with_min_lr", minLr: 0.1, minLrRate: 0.1 }, "/minLrRate"],
  [{ type: "hf/warmup_stable_decay", numWarmupSteps: 900, numDecaySteps: 900 }, "/numTrainingSteps"],
  [{ type: "optax/warmup_cosine_decay_schedule", warmupSteps: 10, decaySteps: 10 }, "/decaySteps"],
  [{ type: "optax/reduce_on_plateau", rtol: 0 }, "/rtol"],
  [{ type: "lambda" }, "/factor"],
  [{ type: "lambda", factor: "t +" }, "/factor"],
  [{ type: "lambda", factor: "1 - t / 500" }, "/factor"],
  [{ type: "LambdaLR", lrLambda: "1 / (t - 777)" }, "/lrLambda"],
  [{ type: "LambdaLR", lrLambda: "process.exit(1)" }, "/lrLambda"],
  [
    {
      type: "MultiplicativeLR",
      lrLambda: [
        [5, 1],
        [5, 2],
      ],
    },
    "/lrLambda/1/0",
  ],
];
for (const [request, pointer] of refusals) {
  test(`refused at ${pointer}: ${JSON.stringify(request)}`, () => {
    assert.ok(isRequest(request), "the JSON schema cannot tell");
    const result = resolveSchedule(request, context);
    assert.deepEqual(result.ok ? [] : result.errors.map((error) => error.pointer), [pointer]);
  });
}

test("the JSON schema refuses zero periods, factors out of range, unknown parameters and types, at the field", () => {
  const pointers = (request: unknown) =>
    isRequest(request) ? [] : isRequest.errors!.map((error) => error.instancePath);
  assert.ok(pointers({ type: "StepLR", stepSize: 0 }).includes("/stepSize"));
  assert.ok(pointers({ type: "cosine", steps: 0 }).includes("/steps"));
  assert.ok(pointers({ type: "LinearLR", startFactor: 0 }).includes("/startFactor"));
  assert.ok(pointers({ type: "LinearLR", endFactor: 1.1 }).includes("/endFactor"));
  assert.ok(pointers({ type: "ReduceLROnPlateau", factor: 1 }).includes("/factor"));
  assert.ok(
    pointers({ type: "warmup", schedule: { type: "repeat", schedule: { type: "cosine", stepz: 3 } } }).includes(
      "/schedule/schedule",
    ),
  );
  assert.equal(isRequest({ type: "CosineLR" }), false);
  assert.equal(isRequest("CosineLR"), false);
  assert.equal(isRequest({ type: "lambda", factor: { evil: 1 } }), false);
});

test("schedules nest four deep and no deeper, however deep the request, and hold 64 at most", () => {
  const nest = (levels: number): ScheduleRequest =>
    levels === 1 ? "constant" : { type: "clamp", schedule: nest(levels - 1) };
  assert.ok(isRequest(nest(4)) && resolveSchedule(nest(4), context).ok);
  assert.equal(isRequest(nest(5)), false);
  let deep: ScheduleRequest = "constant";
  for (let i = 0; i < 50_000; i++) deep = { type: "clamp", schedule: deep };
  assert.equal(isRequest(deep), false);
  assert.deepEqual(resolveSchedule(deep, context), {
    ok: false,
    errors: [{ pointer: "/schedule/schedule/schedule/schedule", expected: "schedules nested at most 4 deep" }],
  });
  const list = (n: number) => ({ type: "chained", schedules: new Array(n).fill("constant") }) as const;
  assert.ok(resolveSchedule(list(63), context).ok);
  assert.equal(resolveSchedule(list(64), context).ok, false);
});

test("a product over many steps is refused when it would take long", () => {
  const long = { steps: 10_000_000, lrRange: [0.001, 0.1] } as const;
  const refused = (request: ScheduleRequest, where: { steps: number; lrRange: readonly [number, number] }) => {
    const result = resolveSchedule(request, where);
    return result.ok ? [] : result.errors.map(({ pointer }) => pointer);
  };
  const chain = { type: "ChainedScheduler", schedulers: ["StepLR", "StepLR"] } as const;
  const product = { type: "MultiplicativeLR", lrLambda: "0.9999 + 0 * t" } as const;
  assert.deepEqual(refused(chain, long), ["/schedulers"]);
  assert.deepEqual(refused(product, long), ["/lrLambda"]);
  assert.deepEqual(refused(chain, { ...long, steps: 1_000_000 }), []);
  assert.deepEqual(refused(product, { ...long, steps: 1_000_000 }), []);
});

test('"auto" is allowed for base and peak rates only, found at any depth, and replaced', () => {
  const request = {
    type: "sequential",
    schedules: [
      { type: "warmup", schedule: { type: "OneCycleLR", maxLr: "auto" } },
      { type: "StepLR", lr: "auto" },
    ],
    milestones: [500],
  } as const;
  assert.ok(isRequest(request));
  assert.deepEqual(autoRatePaths(request), ["/schedules/0/schedule/maxLr", "/schedules/1/lr"]);
  const substituted = substituteRate(request, 0.25);
  assert.deepEqual(autoRatePaths(substituted), []);
  assert.deepEqual((substituted as { schedules?: unknown }).schedules, [
    { type: "warmup", schedule: { type: "OneCycleLR", maxLr: 0.25 } },
    { type: "StepLR", lr: 0.25 },
  ]);
  assert.equal(request.schedules[1].lr, "auto", "the request is left as it was");
  assert.equal(isRequest({ type: "CosineAnnealingLR", etaMin: "auto" }), false);
  assert.equal(isRequest({ type: "constant", lr: "automatic" }), false);
  assert.deepEqual(autoRatePaths("constant"), []);
});

test("a step schedule with milestones falls to a tenth there: 0.1, then 0.01 from step 150,000 of 200,000", () => {
  const spec = resolved({ type: "step", lr: 0.1, milestones: [150_000] }, 200_000);
  assert.deepEqual(spec, { type: "step", lr: 0.1, milestones: [150_000], gamma: 0.1 });
  const lr = buildSchedule(spec);
  assert.equal(lr(149_999), 0.1);
  assert.ok(Math.abs(lr(150_000) - 0.01) < 1e-17);
});

test("nested schedules take the rate around them and the steps that they run for", () => {
  const spec = resolved({ type: "warmup", steps: 100, schedule: "cosine" }, 1000);
  assert.deepEqual(spec, {
    type: "warmup",
    steps: 100,
    start: 0.001,
    schedule: { type: "cosine", lr: 0.1, minLr: 0.001, steps: 900 },
  });
  const chain = resolved(
    { type: "SequentialLR", lr: 3, schedulers: ["LinearLR", "CosineAnnealingLR"], milestones: [200] },
    1000,
  );
  assert.deepEqual((chain as { schedulers?: unknown }).schedulers, [
    { type: "LinearLR", lr: 3, startFactor: 1 / 3, endFactor: 1, totalIters: 5 },
    { type: "CosineAnnealingLR", lr: 3, tMax: 800, etaMin: 0 },
  ]);
});
