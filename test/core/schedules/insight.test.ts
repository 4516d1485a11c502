import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSchedule } from "../../../src/core/schedules/build.js";
import { scheduleCatalogue } from "../../../src/core/schedules/catalogue.js";
import { equivalents } from "../../../src/core/schedules/equivalents.js";
import { type LintCode, lintSchedule } from "../../../src/core/schedules/lint.js";
import { previewSchedule } from "../../../src/core/schedules/preview.js";
import { SCHEDULE_SCHEMAS, type ScheduleRequest } from "../../../src/schemas/schedule.js";
import { resolved } from "./golden.js";

const lint = (request: ScheduleRequest, steps = 1000, lrLimit: number | null = null) =>
  lintSchedule(resolved(request, steps), { steps, lrLimit }).map(({ code, pointer }) => `${code} ${pointer}`);

const remarks: readonly [ScheduleRequest, LintCode, string][] = [
  [{ type: "cosine", steps: 500 }, "rebound", "/steps"],
  [{ type: "CosineAnnealingLR", tMax: 500 }, "rebound", "/tMax"],
  [{ type: "hf/cosine", numTrainingSteps: 500 }, "rebound", "/numTrainingSteps"],
  [{ type: "cosine", steps: 5000 }, "never-ends", "/steps"],
  [{ type: "hf/linear", numWarmupSteps: 10 }, "first-step-at-zero", ""],
  [{ type: "hf/linear", numWarmupSteps: 10 }, "warmup-within-horizon", "/numWarmupSteps"],
  [{ type: "warmup", schedule: "cosine" }, "warmup-outside-horizon", "/steps"],
  [{ type: "optax/warmup_cosine_decay_schedule" }, "warmup-within-horizon", "/warmupSteps"],
  [{ type: "optax/warmup_constant_schedule", warmupSteps: 0 }, "stuck", "/warmupSteps"],
  [{ type: "ConstantLR", factor: 0 }, "library-crash", "/factor"],
  [{ type: "LinearLR", totalIters: 0 }, "stuck", "/totalIters"],
  [{ type: "OneCycleLR", totalSteps: 10, pctStart: 0.1 }, "library-crash", "/pctStart"],
  [{ type: "OneCycleLR", pctStart: 1 }, "library-crash", "/pctStart"],
  [{ type: "OneCycleLR", totalSteps: 500 }, "library-crash", "/totalSteps"],
  [{ type: "OneCycleLR", totalSteps: 500, annealStrategy: "linear" }, "negative-lr", ""],
  [{ type: "OneCycleLR" }, "momentum-cycled", ""],
  [{ type: "multi-step", milestones: [500, 1000] }, "milestone-past-end", "/milestones/1"],
  [
    { type: "sequential", schedules: ["constant", { type: "cosine", steps: 100 }], milestones: [500] },
    "rebound",
    "/schedules/1/steps",
  ],
  [
    {
      type: "SequentialLR",
      schedulers: [{ type: "ChainedScheduler", schedulers: ["StepLR"] }, "StepLR"],
      milestones: [5],
    },
    "unlike-library",
    "/schedulers/0",
  ],
  [
    { type: "SequentialLR", schedulers: ["StepLR", { type: "LinearLR", totalIters: 0 }], milestones: [5] },
    "library-crash",
    "/schedulers/1/totalIters",
  ],
];
for (const [request, code, pointer] of remarks) {
  test(`lint: ${code} at "${pointer}" of ${JSON.stringify(request)}`, () => {
    assert.ok(lint(request).includes(`${code} ${pointer}`), lint(request).join());
  });
}
test("lint: a nested schedule's steps are said to be its own", () => {
  const schedules = ["constant", { type: "cosine", steps: 100 }] as const;
  const spec = resolved({ type: "sequential", schedules: [...schedules], milestones: [500] }, 1000);
  const { message } = lintSchedule(spec, { steps: 1000 }).find(({ code }) => code === "rebound")!;
  assert.equal(message, "after step 100 of its own the cosine climbs back");
});
test("lint: nothing to say of a constant, a full cosine, a full step schedule", () => {
  for (const request of ["constant", "cosine", "linear", "StepLR"] as const) assert.deepEqual(lint(request), []);
});
test("lint: a rate above the limit, for schedules and policies", () => {
  assert.deepEqual(lint("constant", 100, 0.05), ["lr-above-limit "]);
  assert.deepEqual(lint("reduce-on-plateau", 100, 0.05), ["lr-above-limit /lr"]);
  assert.deepEqual(lint("constant", 100, 0.1), []);
});

test("a preview keeps single peaks, both ends, and gives area, peak, first and last", () => {
  const request = { type: "override", schedule: { type: "constant", lr: 0.1 }, rates: [[77_777, 5]] } as const;
  const preview = previewSchedule(resolved(request, 100_000), { steps: 100_000, points: 50 });
  assert.ok(preview.steps.length <= 50);
  assert.equal(preview.lr[preview.steps.indexOf(77_777)], 5);
  assert.deepEqual([preview.steps[0], preview.steps.at(-1)], [0, 99_999]);
  assert.deepEqual(preview.peak, { step: 77_777, lr: 5 });
  assert.ok(Math.abs(preview.area - (99_999 * 0.1 + 5)) < 1e-6);
  assert.deepEqual([preview.first, preview.last, preview.momentum, preview.assumption], [0.1, 0.1, null, null]);
});
test("a preview's points are evenly taken where that is asked for", () => {
  const { steps, lr } = previewSchedule(resolved("cyclic", 1000), { steps: 1000, points: 5, even: true });
  assert.deepEqual(steps, [0, 250, 500, 749, 999]);
  assert.deepEqual(lr, steps.map(buildSchedule(resolved("cyclic", 1000))));
  assert.deepEqual(previewSchedule(resolved("constant", 1), { steps: 1, points: 4, even: true }).steps, [0]);
  assert.deepEqual(previewSchedule(resolved("constant", 3), { steps: 3, points: 9, even: true }).steps, [0, 1, 2]);
});
test("a preview of few steps has every step, one of many looks at a grid with both ends", () => {
  const short = previewSchedule(resolved("cyclic", 40), { steps: 40, points: 100 });
  assert.deepEqual(short.lr, short.steps.map(buildSchedule(resolved("cyclic", 40))));
  assert.equal(short.steps.length, 40);
  const long = previewSchedule(resolved("linear", 10_000_000), { steps: 10_000_000, points: 100 });
  assert.equal(long.steps.at(-1), 9_999_999);
  assert.ok(Math.abs(long.area / (0.0505 * 1e7) - 1) < 1e-6);
  assert.equal(previewSchedule(resolved("constant", 1), { steps: 1, points: 100 }).last, 0.1);
});
test("a metric-driven policy is previewed with a loss that stays, and says so", () => {
  const request = { type: "ReduceLROnPlateau", lr: 1, patience: 1, every: 10, factor: 0.5 } as const;
  const preview = previewSchedule(resolved(request, 50), { steps: 50, points: 100 });
  assert.deepEqual(
    [29, 30, 49].map((step) => preview.lr[step]),
    [1, 0.5, 0.5],
  );
  assert.match(preview.assumption!, /never changes/);
});
test("a preview shows the momentum that a schedule cycles", () => {
  const preview = previewSchedule(resolved("OneCycleLR", 10), { steps: 10, points: 100 });
  assert.equal(preview.momentum![0], 0.95);
  assert.ok(Math.abs(preview.momentum![2]! - 0.85) < 1e-15);
});

const translated: readonly [ScheduleRequest, readonly [string, string][]][] = [
  [
    { type: "StepLR", stepSize: 300 },
    [
      ["native", "step"],
      ["optax", "optax/piecewise_constant_schedule"],
    ],
  ],
  [
    { type: "MultiStepLR" },
    [
      ["native", "multi-step"],
      ["optax", "optax/piecewise_constant_schedule"],
    ],
  ],
  [
    { type: "ExponentialLR" },
    [
      ["native", "exponential"],
      ["optax", "optax/exponential_decay"],
    ],
  ],
  [
    "CosineAnnealingLR",
    [
      ["native", "cosine"],
      ["hugging-face", "hf/cosine"],
      ["optax", "optax/cosine_decay_schedule"],
    ],
  ],
  [
    "CosineAnnealingWarmRestarts",
    [
      ["native", "cosine-warm-restarts"],
      ["optax", "optax/sgdr_schedule"],
    ],
  ],
  ["CyclicLR", [["native", "cyclic"]]],
  ["OneCycleLR", [["native", "one-cycle"]]],
  ["one-cycle", [["pytorch", "OneCycleLR"]]],
  [
    { type: "PolynomialLR", totalIters: 1000, power: 2 },
    [
      ["native", "polynomial"],
      ["hugging-face", "hf/polynomial"],
      ["optax", "optax/polynomial_schedule"],
    ],
  ],
  [
    { type: "hf/cosine", numWarmupSteps: 100 },
    [
      ["native", "sequential"],
      ["pytorch", "SequentialLR"],
      ["optax", "optax/warmup_cosine_decay_schedule"],
    ],
  ],
  [
    { type: "hf/linear", numWarmupSteps: 100 },
    [
      ["native", "sequential"],
      ["pytorch", "SequentialLR"],
      ["optax", "optax/join_schedules"],
    ],
  ],
  [
    { type: "optax/warmup_cosine_decay_schedule" },
    [
      ["native", "sequential"],
      ["pytorch", "SequentialLR"],
      ["hugging-face", "hf/cosine"],
    ],
  ],
  [{ type: "warmup-stable-decay" }, [["hugging-face", "hf/warmup_stable_decay"]]],
  [
    {
      type: "ChainedScheduler",
      schedulers: [
        { type: "ConstantLR", factor: 0.1 },
        { type: "ExponentialLR", gamma: 0.99 },
      ],
    },
    [["native", "chained"]],
  ],
  ["ReduceLROnPlateau", []],
];
for (const [request, expected] of translated) {
  test(`equivalents of ${JSON.stringify(request)}`, () => {
    const found = equivalents(resolved(request, 1000), { steps: 1000 });
    assert.deepEqual(
      found.map(({ library, schedule }) => [library, schedule.type]),
      expected,
    );
    for (const { library, maxDifference } of found) assert.ok(maxDifference <= 1e-14, `${library}: ${maxDifference}`);
  });
}
test("an equivalent that parts from the original says how far and where; one that is no equivalent is left out", () => {
  const cosine = { type: "CosineAnnealingLR", lr: 1, tMax: 998 } as const;
  const optax = equivalents(resolved(cosine, 1000), { steps: 1000 }).find(({ library }) => library === "optax")!;
  assert.equal(optax.atStep, 999, "PyTorch climbs back, optax stays");
  assert.ok(Math.abs(optax.maxDifference - (1 - Math.cos(Math.PI / 998)) / 2) < 1e-9);
  const rebound = equivalents(resolved({ ...cosine, tMax: 500 }, 1000), { steps: 1000 });
  assert.deepEqual(
    rebound.map(({ library }) => library),
    ["native", "hugging-face"],
  );
});

test("the catalogue lists every type with its parameters, fixed and derived defaults, and what lrRange means", () => {
  const catalogue = scheduleCatalogue();
  assert.deepEqual(
    catalogue.map(({ type }) => type),
    Object.keys(SCHEDULE_SCHEMAS),
  );
  for (const { type, description, parameters } of catalogue) {
    assert.ok(description.length > 0, type);
    for (const { name, type: kind } of parameters) assert.ok(kind.length > 0, `${type}.${name}`);
  }
  const cyclic = catalogue.find(({ type }) => type === "CyclicLR")!;
  assert.equal(cyclic.library, "pytorch");
  assert.equal(cyclic.lrRange, "baseLr: low end of lrRange; maxLr: high end of lrRange");
  const parameter = (name: string) => cyclic.parameters.find((each) => each.name === name)!;
  assert.deepEqual(parameter("maxLr"), {
    name: "maxLr",
    type: "number",
    default: "high end of lrRange",
    derived: true,
    required: false,
    auto: true,
    description: "Peak learning rate",
  });
  assert.equal(parameter("mode").type, "triangular | triangular2 | exp_range");
  assert.equal(parameter("stepSizeUp").default, 2000);
  assert.equal(parameter("stepSizeDown").default, "as stepSizeUp");
  const lambda = catalogue.find(({ type }) => type === "LambdaLR")!;
  assert.equal(lambda.parameters.find(({ name }) => name === "lrLambda")!.required, true);
});
