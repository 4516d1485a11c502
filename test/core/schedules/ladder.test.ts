import assert from "node:assert/strict";
import { test } from "node:test";
import { ladder } from "../../../src/core/schedules/ladder.js";
import { SWEEP_CONVENTIONS } from "../../../src/schemas/schedules/native.js";

/** Exponents of a ladder from 1 to 10^8, so that they are the way times 8. */
function exponents(convention: (typeof SWEEP_CONVENTIONS)[number]): number[] {
  const rate = ladder({ convention, start: 1, end: 1e8, steps: 4, spacing: "exponential" });
  return [0, 1, 2, 3, 9].map((step) => Number(Math.log10(rate(step)).toFixed(9)));
}

test("each library's end points, and the last rate held after them", () => {
  const third = Number((8 / 3).toFixed(9));
  const inclusive = [0, third, Number((16 / 3).toFixed(9)), 8, 8];
  assert.deepEqual(exponents("inclusive"), inclusive);
  assert.deepEqual(exponents("torch-lr-finder"), inclusive);
  assert.deepEqual(exponents("fastai"), [0, 2, 4, 6, 6]);
  assert.deepEqual(exponents("keras"), [0, 2, 4, 6, 6]);
  assert.deepEqual(exponents("ignite"), [2, 4, 6, 8, 8]);
  assert.deepEqual(exponents("lightning"), [0, 4, 6, 8, 8]);
});

test("linear spacing, and a single rung", () => {
  const linear = ladder({ convention: "inclusive", start: 1, end: 3, steps: 3, spacing: "linear" });
  assert.deepEqual([0, 1, 2].map(linear), [1, 2, 3]);
  for (const convention of SWEEP_CONVENTIONS) {
    const rate = ladder({ convention, start: 1, end: 3, steps: 1, spacing: "linear" })(0);
    assert.equal(rate, convention === "ignite" ? 3 : 1);
  }
});

test("fastai's last rate of 100 is 8.32", () => {
  const rate = ladder({ convention: "fastai", start: 1e-7, end: 10, steps: 100, spacing: "exponential" });
  assert.equal(rate(99).toFixed(2), "8.32");
});
