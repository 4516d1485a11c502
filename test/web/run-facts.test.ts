import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveRun } from "../../src/core/resolve.js";
import { buildSchedule, isMetricDriven } from "../../src/core/schedules/build.js";
import { SCHEDULE_SCHEMAS, type ScheduleType } from "../../src/schemas/schedule.js";
import { number } from "../../src/web/format.js";
import { lrRange } from "../../src/web/pages/run-facts.js";

const NAMES = { name: "names", digest: "0", vocabSize: 27, trainExamples: 180_000, examples: 225_000 };

for (const steps of [1, 7, 999, 60_001]) {
  test(`the range of rates in the list is that of all ${steps} steps`, (t) => {
    let types = 0;
    for (const schedule of Object.keys(SCHEDULE_SCHEMAS) as ScheduleType[]) {
      const resolved = resolveRun({ steps, schedule, lrRange: [0.003, 0.1] }, NAMES, 1);
      // Some need parameters, or more steps.
      if (!resolved.ok || isMetricDriven(resolved.value.schedule)) continue;
      types++;
      const lr = buildSchedule(resolved.value.schedule);
      const all = Array.from({ length: steps }, (_, step) => lr(step));
      const ofAll = (pick: (a: number, b: number) => number) =>
        number(
          all.reduce((a, b) => pick(a, b)),
          3,
        );
      const [least, most] = [ofAll(Math.min), ofAll(Math.max)];
      assert.equal(lrRange(resolved.value), least === most ? least : `${least} – ${most}`, schedule);
    }
    t.diagnostic(`${types} types`);
    assert.ok(types > 20);
  });
}
