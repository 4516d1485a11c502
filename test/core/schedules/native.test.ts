import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPolicy, buildSchedule } from "../../../src/core/schedules/build.js";
import { parseExpression } from "../../../src/core/schedules/expression.js";
import type { ScheduleRequest } from "../../../src/schemas/schedule.js";
import { SCHEDULE_LIMITS } from "../../../src/schemas/schedules/fields.js";
import { resolved } from "./golden.js";

const rates = (request: ScheduleRequest, at: readonly number[]) => {
  const schedule = buildSchedule(resolved(request, 1000));
  return at.map((step) => Number(schedule(step).toPrecision(10)));
};
const cases: readonly [ScheduleRequest, readonly number[], readonly number[]][] = [
  [{ type: "inverse-time", lr: 1, rate: 0.5, decaySteps: 10 }, [0, 10, 15, 20], [1, 0.6666666667, 0.5714285714, 0.5]],
  [{ type: "inverse-time", lr: 1, rate: 0.5, decaySteps: 10, staircase: true }, [9, 15, 20], [1, 0.6666666667, 0.5]],
  [{ type: "inverse-sqrt", lr: 1, timescale: 4 }, [0, 12, 32], [1, 0.5, 0.3333333333]],
  [{ type: "one-minus-sqrt", start: 1, end: 0.2, steps: 4 }, [0, 1, 4, 9], [1, 0.6, 0.2, 0.2]],
  [{ type: "tanh", start: 1, end: 0.1, steps: 10 }, [0, 7, 10, 99], [0.9999992516, 0.55, 0.1, 0.1]],
  [{ type: "noam", lr: 0.2, warmupSteps: 4 }, [0, 3, 15], [0.05, 0.2, 0.1]],
  [{ type: "polynomial", start: 1, end: 0, power: 2, steps: 4 }, [0, 1, 2, 4, 9], [1, 0.5625, 0.25, 0, 0]],
  [
    {
      type: "piecewise",
      points: [
        [2, 1],
        [4, 3],
      ],
      interpolation: "linear",
    },
    [0, 2, 3, 4, 9],
    [1, 1, 2, 3, 3],
  ],
  [
    {
      type: "piecewise",
      points: [
        [0, 1],
        [4, 3],
      ],
      interpolation: "cosine",
    },
    [0, 1, 2, 4],
    [1, 1.292893219, 2, 3],
  ],
  [
    {
      type: "warmup-stable-decay",
      lr: 1,
      startLr: 0,
      endLr: 0.1,
      warmupSteps: 2,
      stableSteps: 3,
      decaySteps: 4,
      decay: "linear",
    },
    [0, 1, 2, 4, 5, 6, 9, 99],
    [0, 0.5, 1, 1, 1, 0.775, 0.1, 0.1],
  ],
  [
    { type: "repeat", schedule: { type: "linear", start: 1, end: 0, steps: 4 }, period: 2, growth: 2, decay: 0.5 },
    [0, 1, 2, 3, 5, 6, 13, 14],
    [1, 0.75, 0.5, 0.375, 0.125, 0.25, 0, 0.125],
  ],
  [
    { type: "clamp", schedule: { type: "linear", start: 1, end: 0, steps: 4 }, min: 0.3, max: 0.7 },
    [0, 2, 4],
    [0.7, 0.5, 0.3],
  ],
  [
    {
      type: "override",
      schedule: { type: "constant", lr: 1 },
      rates: [
        [0, 0],
        [3, 9],
      ],
    },
    [0, 1, 3, 4],
    [0, 1, 9, 1],
  ],
  [
    { type: "warmup", schedule: { type: "step", lr: 1, stepSize: 2, gamma: 0.5 }, steps: 4, start: 0 },
    [0, 1, 4, 5, 6],
    [0, 0.25, 1, 1, 0.5],
  ],
  [
    {
      type: "chained",
      lr: 2,
      schedules: [
        { type: "step", lr: 8, stepSize: 2, gamma: 0.5 },
        { type: "linear", start: 4, end: 0, steps: 4 },
      ],
    },
    [0, 1, 2, 4],
    [2, 1.5, 0.5, 0],
  ],
  [
    {
      type: "multiplicative",
      lr: 1,
      factor: [
        [0, 5],
        [1, 0.5],
        [3, 1],
      ],
    },
    [0, 1, 2, 3, 9],
    [1, 0.5, 0.25, 0.25, 0.25],
  ],
];
for (const [request, at, expected] of cases) {
  test(`rates of ${JSON.stringify(request)}`, () => assert.deepEqual(rates(request, at), expected));
}

test("a schedule depends on the step alone, in whatever order steps are asked for", () => {
  for (const request of [
    { type: "multiplicative", factor: "1 - 0.5 / (t + 1)" },
    { type: "CosineAnnealingLR", tMax: 20 },
    {
      type: "ChainedScheduler",
      schedulers: [
        { type: "CosineAnnealingLR", tMax: 7 },
        { type: "StepLR", stepSize: 30 },
      ],
    },
  ] as const) {
    const ascending = buildSchedule(resolved(request));
    const expected = Array.from({ length: 100 }, (_, step) => ascending(step));
    const shuffled = buildSchedule(resolved(request));
    for (let i = 0; i < 100; i++) assert.equal(shuffled((i * 37) % 100), expected[(i * 37) % 100]);
  }
});

test("momentum is left where a schedule in a sequence put it", () => {
  const cycle = { type: "CyclicLR", stepSizeUp: 4, baseMomentum: 0.8, maxMomentum: 0.9 } as const;
  const policy = buildPolicy(
    resolved({ type: "sequential", schedules: ["constant", cycle, "constant"], milestones: [10, 15] }),
  );
  const momentum = [0, 9, 10, 14, 15, 99].map((step) => Number(policy.momentum!(null, step).toPrecision(6)));
  assert.deepEqual(momentum, [0.9, 0.9, 0.9, 0.8, 0.8, 0.8]);
});

test("metric-driven types have a policy and no schedule", () => {
  assert.throws(() => buildSchedule(resolved("reduce-on-plateau")), RangeError);
  assert.equal(buildPolicy(resolved("greedy", 1000)).every, 10);
});

const evaluate = (text: string, t = 3) => {
  const parsed = parseExpression(text, SCHEDULE_LIMITS);
  return parsed.ok ? parsed.value(t) : parsed.errors[0]!.expected;
};
test("expressions follow Python's precedence", () => {
  assert.equal(evaluate("2 + 3 * t"), 11);
  assert.equal(evaluate("-2 ** 2"), -4);
  assert.equal(evaluate("2 ** 3 ** 2"), 512);
  assert.equal(evaluate("2 ^ -1"), 0.5);
  assert.equal(evaluate("7 - 2 - 1"), 4);
  assert.equal(evaluate("-7 // 2"), -4);
  assert.equal(evaluate("-7 % 3"), 2);
  assert.equal(evaluate("1 + 2 < 4"), 1);
  assert.equal(evaluate("t == 3 ? t < 2 ? 1 : 2 : 3"), 2);
  assert.equal(evaluate("max(1, t, 2) + min(.5e1, 6) + pow(2, 3)"), 16);
  assert.equal(evaluate("cos(pi) + log(e)"), 0);
});
test("what is not arithmetic in t is refused, with the place", () => {
  for (const text of [
    "",
    "t t",
    "(t",
    "t)",
    "1 +",
    "t.constructor",
    "a",
    "constructor",
    "sin",
    "sin(1, 2)",
    "max()",
    "t = 3",
    "`1`",
    "1 ? 2",
  ]) {
    assert.equal(typeof evaluate(text), "string", text);
  }
  assert.match(String(evaluate("1 + q")), /not "q"/);
  assert.match(String(evaluate("2 $ 3")), /character 2/);
  assert.match(String(evaluate(`${"1+".repeat(120)}1`)), /at most 200/);
  assert.match(String(evaluate("(".repeat(400))), /at most 200|"\("|end/);
  assert.match(String(evaluate("-".repeat(499))), /at most 200/);
  assert.match(String(evaluate(" ".repeat(501))), /at most 500/);
});
