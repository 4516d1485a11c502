import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveSearch } from "../../src/core/resolve-search.js";
import { rateParameter } from "../../src/core/schedules/rates.js";
import { SCHEDULE_SCHEMAS, type ScheduleRequest, type ScheduleType } from "../../src/schemas/schedule.js";

const NAMES = { name: "names", digest: "", vocabSize: 27, trainExamples: 180_000, examples: 225_000 };

function errorsOf(schedule: unknown, steps: number) {
  const resolved = resolveSearch({ steps, schedules: [schedule as ScheduleRequest] }, NAMES, 1);
  return resolved.ok ? [] : resolved.errors;
}

test("milestones that a search would never see are refused, nested ones too", () => {
  for (const [schedule, pointer] of [
    [{ type: "step", milestones: [500, 1000] }, "/milestones/1"],
    [{ type: "MultiStepLR", milestones: [1000] }, "/milestones/0"],
    [
      {
        type: "sequential",
        milestones: [600],
        schedules: ["constant", { type: "step", lr: "auto", milestones: [399, 400] }],
      },
      "/schedules/1/milestones/1",
    ],
  ] as const) {
    const errors = errorsOf(schedule, 1000);
    assert.deepEqual(
      errors.map((error) => error.pointer),
      [`/schedules/0${pointer}`],
    );
    assert.match(errors[0]!.expected, /last step is (999|399)/);
  }
  assert.deepEqual(errorsOf({ type: "step", milestones: [500, 999] }, 1000), []);
});

test("a schedule that is given by name alone has no milestone past the end, however short the training", () => {
  let known = 0;
  for (const type of Object.keys(SCHEDULE_SCHEMAS) as ScheduleType[]) {
    if (rateParameter(type) === null) continue;
    for (const steps of [20, 1000]) {
      const late = errorsOf({ type }, steps).filter(({ expected }) => expected.includes("before the end"));
      assert.deepEqual(late, [], `${type} over ${steps} steps`);
      known++;
    }
  }
  assert.ok(known > 40);
});

test("a schedule that means the same as one before it is refused, in whatever words", () => {
  const schedules = [
    "linear",
    { type: "linear", end: 0.001 },
    { type: "linear", start: "auto", end: 0 },
  ] as ScheduleRequest[];
  const resolved = resolveSearch({ steps: 100, schedules }, NAMES, 1);
  assert.deepEqual(resolved, {
    ok: false,
    errors: [{ pointer: "/schedules/2", expected: "a schedule unlike those before it: it is the same as linear" }],
  });
});
