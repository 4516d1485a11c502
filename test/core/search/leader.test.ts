import assert from "node:assert/strict";
import { test } from "node:test";
import { leaderOf } from "../../../src/core/search/leader.js";
import type { Survey } from "../../../src/core/search/survey.js";
import { configFor, law } from "./synthetic.js";

/** The leader among candidates whose rate 0.1 was verified by these losses, of seeds 0, 1 ...; null: it diverged. */
function leaderBy(
  ...losses: readonly (readonly (number | null)[])[]
): [candidate: number, seeds: readonly number[]] | null {
  const config = configFor(losses.map(() => law()));
  const trials = losses.flatMap((each, candidate) =>
    each.map((loss, seed) => ({ candidate, lr: 0.1, steps: config.steps, seed, loss })),
  );
  const standings = losses.map((each, candidate) => ({
    ...{ candidate, findings: [], hopeless: false, lr: 0.1, interval: null },
    verifiedBy: each.map((_, seed) => seed),
  }));
  const leader = leaderOf(config, trials, { stage: "done", tasks: [], standings, complete: true } satisfies Survey);
  return leader && [leader.standing.candidate, leader.seeds];
}

test("the lowest mean loss leads, among those with the most seeds", () => {
  assert.deepEqual(leaderBy([2, 2], [1, 1], [3, 3]), [1, [0, 1]]);
  // The third has fewer seeds, and is worse by those: nobody asks for more.
  assert.deepEqual(leaderBy([2, 2, 0, 0], [2, 2, 1, 1], [2.1, 2.1]), [0, [0, 1, 2, 3]]);
});

test("should one with fewer seeds look better by those, all are compared by the seeds that all have", () => {
  assert.deepEqual(leaderBy([2, 2, 0, 0], [2, 2, 1, 1], [1.9, 1.9]), [2, [0, 1]]);
  assert.deepEqual(leaderBy([2, 2, 0, 0], [1.8, 1.8, 1, 1], [1.9, 1.9]), [1, [0, 1]]);
});

test("who diverged by any seed does not lead; where all did, or nobody is verified, nobody does", () => {
  assert.deepEqual(leaderBy([1, null], [2, 2]), [1, [0, 1]]);
  assert.equal(leaderBy([1, null], [null, 2]), null);
  assert.equal(leaderBy([], []), null);
});
