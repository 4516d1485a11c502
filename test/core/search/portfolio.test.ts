import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSchedule } from "../../../src/core/schedules/build.js";
import { PORTFOLIO, scheduleAt } from "../../../src/core/search/portfolio.js";
import type { ScheduleRequestObject, ScheduleSpec } from "../../../src/schemas/schedule.js";

function resolved(request: ScheduleRequestObject, lr: number, steps: number, of = steps): ScheduleSpec {
  const schedule = scheduleAt(request, lr, steps, of);
  assert.ok(schedule.ok, JSON.stringify(schedule));
  return schedule.value;
}

const ratesOf = (spec: ScheduleSpec, steps: readonly number[]) =>
  steps.map((step) => Number(buildSchedule(spec)(step).toPrecision(6)));

test("the portfolio's shapes, at any horizon", () => {
  for (const steps of [100, 1000]) {
    const share = (part: number) => Math.round(part * steps);
    const at = (type: string, ...parts: number[]) =>
      ratesOf(resolved({ type } as ScheduleRequestObject, 0.2, steps), parts.map(share));
    assert.deepEqual(at("constant", 0, 0.5, 1), [0.2, 0.2, 0.2]);
    assert.deepEqual(at("linear", 0, 0.25, 1), [0.2, 0.15, 0]);
    assert.deepEqual(at("cosine", 0, 0.5, 1), [0.2, 0.1, 0]);
    assert.deepEqual(at("step", 0, 0.74, 0.75, 1), [0.2, 0.2, 0.02, 0.02]);
    // Warmup over a twentieth; the last fifth falls by one minus the square root: a quarter into it, to half.
    assert.deepEqual(at("warmup-stable-decay", 0, 0.05, 0.8, 0.85), [0, 0.2, 0.2, 0.1]);
    assert.equal(at("one-cycle", 0)[0], 0.2 / 25);
    // At the end the rate is a tenth of the peak: sqrt(1 / (1 + steps / timescale)).
    assert.deepEqual(at("inverse-sqrt", 0, 1), [0.2, 0.02]);
  }
  const peak = Math.max(
    ...Array.from({ length: 100 }, (_, i) => buildSchedule(resolved({ type: "one-cycle" }, 0.2, 100))(i)),
  );
  assert.ok(Math.abs(peak - 0.2) < 0.002, String(peak));
  assert.equal(Object.keys(PORTFOLIO).length, 7);
});

test("what a request says itself stands, and what it counts in steps shrinks with the horizon", () => {
  const step = resolved({ type: "step", milestones: [600, 900], gamma: 0.5 }, 0.1, 250, 1000);
  assert.deepEqual(ratesOf(step, [149, 150, 224, 225]), [0.1, 0.05, 0.05, 0.025]);
  const whole = resolved({ type: "step", milestones: [600, 900], gamma: 0.5 }, 0.1, 1000, 1000);
  assert.deepEqual(ratesOf(whole, [599, 600, 899, 900]), [0.1, 0.05, 0.05, 0.025]);
  const plateau = resolved({ type: "ReduceLROnPlateau", patience: 7 }, 0.1, 250, 1000);
  assert.equal((plateau as unknown as { patience: number }).patience, 7, "observations are no steps");
});

test('"auto" inside of a nested schedule is the rate, and its lengths shrink too', () => {
  const request = {
    type: "sequential",
    milestones: [400],
    schedules: [
      { type: "constant", lr: 0.01 },
      { type: "step", lr: "auto", milestones: [200], gamma: 0.1 },
    ],
  } as ScheduleRequestObject;
  const half = resolved(request, 0.3, 500, 1000);
  assert.deepEqual(ratesOf(half, [0, 199, 200, 299, 300]), [0.01, 0.01, 0.3, 0.3, 0.03]);
  assert.equal((request.schedules as { lr: unknown }[])[1]!.lr, "auto", "the request is left as it was");
});
