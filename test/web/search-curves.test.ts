import assert from "node:assert/strict";
import { test } from "node:test";
import { SearchCurves } from "../../src/web/data/search-curves.js";

test("arms become curves: seeds of a rate join, a diverged one leaves no mean", () => {
  const curves = new SearchCurves();
  curves.add({ schedule: "linear", lr: 0.2, steps: 100, losses: [2] });
  curves.add({ schedule: "linear", lr: 0.1, steps: 100, losses: [3] });
  curves.add({ schedule: "linear", lr: 0.2, steps: 25, losses: [4, null] });
  curves.add({ schedule: "cosine", lr: 0.2, steps: 100, losses: [9] });
  curves.add({ schedule: "linear", lr: 0.2, steps: 100, losses: [4, 6] });
  // Standard deviation of 2, 4, 6: 2.
  assert.deepEqual(curves.of("linear"), [
    { lr: 0.2, steps: 25, loss: null, stderr: null, seeds: 2 },
    { lr: 0.1, steps: 100, loss: 3, stderr: null, seeds: 1 },
    { lr: 0.2, steps: 100, loss: 4, stderr: Math.sqrt(4 / 3), seeds: 3 },
  ]);
  assert.deepEqual(curves.of("step"), []);
});
