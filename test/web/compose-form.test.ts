import assert from "node:assert/strict";
import { test } from "node:test";
import { unreadable } from "../../src/web/pages/compose-form.js";

test("a list that is no JSON is named, not counted by its letters", () => {
  const form = {
    schedule: "sequential",
    "schedule/schedules": '["constant", "linear"',
    "schedule/milestones": "[500]",
  };
  assert.deepEqual(Object.keys(unreadable(form)), ["schedule/schedules"]);
  assert.deepEqual(Object.keys(unreadable({ ...form, "schedule/milestones": "500" })), [
    "schedule/schedules",
    "schedule/milestones",
  ]);
  assert.deepEqual(unreadable({ ...form, "schedule/schedules": '["constant", "linear"]' }), {});
});
