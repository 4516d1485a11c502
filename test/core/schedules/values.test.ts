import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPolicy } from "../../../src/core/schedules/build.js";
import type { WorkedValues } from "../../../src/core/schedules/definition.js";
import { NATIVE } from "../../../src/core/schedules/definitions.js";
import type { NativeType, ScheduleRequest } from "../../../src/schemas/schedule.js";
import { resolved } from "./golden.js";

/** The rates at the steps of a table worked out by hand, to its ten digits. */
function rates(type: NativeType, { given, losses, lr }: WorkedValues<NativeType>): (readonly [number, number])[] {
  const policy = buildPolicy(resolved({ type, ...given } as ScheduleRequest, 1000));
  assert.equal(losses === undefined, policy.every === null, "losses for the metric-driven, and for them alone");
  const states = [policy.init()];
  for (const [i, loss] of (losses ?? []).entries()) states.push(policy.next(states[i], { step: i + 1, loss }));
  return lr.map(([step]) => {
    const state = states[losses === undefined ? 0 : step];
    return [step, Number(policy.lr(state, step).toPrecision(10))];
  });
}

// The golden files of the libraries stand for their types; for ours, tables worked out by hand do.
for (const [type, { values }] of Object.entries(NATIVE)) {
  test(`${type} gives the rates worked out by hand`, () => {
    for (const worked of values as readonly WorkedValues<NativeType>[]) {
      // A rate at one step could be that of a constant.
      assert.ok(worked.lr.length >= 2, "two steps at least");
      assert.deepEqual(rates(type as NativeType, worked), worked.lr, JSON.stringify(worked.given));
    }
  });
}
