import assert from "node:assert/strict";
import { test } from "node:test";
import { forecast, horizonLaw, minimumOf } from "../../../src/core/search/fit.js";

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, not ${expected}`);

test("the minimum is the vertex of the parabola through the lowest point and its neighbours", () => {
  const on = (vertex: number) => (log: number) => ({ log, loss: 2 + (log - vertex) ** 2 });
  for (const [vertex, logs] of [
    [-0.96, [-1.4, -1.2, -1, -0.8, -0.6]],
    // Unevenly spaced.
    [-1.02, [-1.2, -1, -0.9]],
  ] as const) {
    const { log, loss } = minimumOf(logs.map(on(vertex)))!;
    close(log, vertex);
    close(loss, 2);
  }
});

test("a neighbour's excess counts for at most three times the other's, a diverged one's too", () => {
  // Excesses 3 and 1 at -1 and 1: y = 2u^2 - u, lowest at 1/4, -1/8.
  assert.deepEqual(minimumOf([at(-1, 10), at(0, 0), at(1, 1)]), { log: 0.25, loss: -0.125 });
  // 1 and 3: y = 2u^2 + u.
  const mirrored = { log: -0.25, loss: -0.125 };
  assert.deepEqual(minimumOf([at(-1, 1), at(0, 0), at(1, 50)]), mirrored);
  assert.deepEqual(minimumOf([at(-1, 1), at(0, 0), at(1, Number.POSITIVE_INFINITY)]), mirrored);
});

const at = (log: number, loss: number) => ({ log, loss });

test("where a side is missing, or flat, the lowest point is the minimum; where all diverged there is none", () => {
  assert.deepEqual(minimumOf([at(0, 1), at(1, 2)]), at(0, 1));
  assert.deepEqual(minimumOf([at(0, 2), at(1, 1)]), at(1, 1));
  assert.deepEqual(minimumOf([at(0, 1), at(1, 1), at(2, 1)]), at(0, 1));
  const lost = Number.POSITIVE_INFINITY;
  assert.deepEqual(minimumOf([at(0, lost), at(1, 3), at(2, lost)]), at(1, 3));
  assert.equal(minimumOf([at(0, lost), at(1, lost)]), null);
  assert.equal(minimumOf([]), null);
});

test("the horizon law is a weighted line with a prior on its slope", () => {
  // Without a second horizon, the prior: -0.23 +- 0.08.
  close(horizonLaw([{ steps: 100, log: -1 }]).slope, -0.23);
  close(horizonLaw([{ steps: 100, log: -1 }]).error, 0.08);
  // x = 2, 3 with weights 1/2 and 1 in units of 0.07^-2: sum of squares 1/3, of products -1/6; the prior's weight is 0.08^-2.
  const minima = [
    { steps: 100, log: -1 },
    { steps: 1000, log: -1.5 },
  ];
  const precision = 156.25 + 1 / 3 / 0.0049;
  const slope = (156.25 * -0.23 - 1 / 6 / 0.0049) / precision;
  close(horizonLaw(minima).slope, slope);
  close(horizonLaw(minima).error, 1 / Math.sqrt(precision));
  // From the last minimum on; one decade: its own scatter and the slope's error.
  const { log, error } = forecast(minima, 10_000);
  close(log, -1.5 + slope);
  close(error, Math.sqrt(0.0049 + 1 / precision));
});
