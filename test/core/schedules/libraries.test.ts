import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPolicy } from "../../../src/core/schedules/build.js";
import { SCHEDULE_LIBRARIES } from "../../../src/schemas/schedule.js";
import { type GoldenCase, goldenCases, largestError, resolved } from "./golden.js";

const RTOL = 1e-12;
const LEAST_SETS = 12;

/** The case replayed: rates (and momenta) of the policy that its spec describes. */
function replay({ spec, at, losses, momentum }: GoldenCase): { lr: number[]; momentum: number[] | null } {
  const policy = buildPolicy(resolved(spec));
  let state = policy.init();
  if (losses !== undefined) {
    const lr = losses.map((loss, i) => {
      // Through JSON, as in a checkpoint.
      state = JSON.parse(JSON.stringify(policy.next(state, { step: i + 1, loss })));
      return policy.lr(state, i + 1);
    });
    return { lr, momentum: null };
  }
  assert.equal(policy.momentum === undefined, momentum === undefined, "momentum is cycled where the library cycles it");
  return {
    lr: at!.map((step) => policy.lr(state, step)),
    momentum: policy.momentum === undefined ? null : at!.map((step) => policy.momentum!(state, step)),
  };
}

for (const library of ["pytorch", "hugging-face", "optax"] as const) {
  const cases = goldenCases(library);
  for (const type of Object.keys(SCHEDULE_LIBRARIES[library])) {
    const own = cases.filter((each) => each.spec.type === type);
    test(`${type} gives the library's values`, (context) => {
      assert.ok(own.length >= LEAST_SETS, `${own.length} golden sets`);
      const distinct = new Set(own.map(({ spec }) => JSON.stringify(spec)));
      assert.ok(distinct.size >= LEAST_SETS, `${distinct.size} distinct parameter sets`);
      let worst = 0;
      for (const golden of own) {
        const actual = replay(golden);
        for (const column of ["lr", "momentum"] as const) {
          const expected = golden[column];
          if (expected === undefined) continue;
          const { error, at } = largestError(actual[column]!, expected);
          worst = Math.max(worst, error);
          const where = `${JSON.stringify(golden.spec)} ${column} at ${golden.at?.[at] ?? at}`;
          assert.ok(error <= RTOL, `${where}: ${actual[column]![at]} for ${expected[at]}, off by ${error}`);
        }
      }
      context.diagnostic(`${type}: ${own.length} sets, largest relative error ${worst.toExponential(1)}`);
    });
  }
}
