import assert from "node:assert/strict";
import { test } from "node:test";
import { evenTicks, logTicks } from "../../src/core/ticks.js";

test("log ticks stand at round values of the quantity itself", () => {
  assert.deepEqual(logTicks(0.001, 1, 5), [0.001, 0.01, 0.1, 1]);
  assert.deepEqual(logTicks(0.001, 1, 8), [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]);
  assert.deepEqual(logTicks(2.1, 2.9, 8), [2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7, 2.8, 2.9]);
  assert.deepEqual(logTicks(1e-12, 1e4, 5), [1e-12, 1e-8, 1e-4, 1, 1e4]);
});

test("even ticks end, however near the ends are to each other or to nothing", () => {
  assert.deepEqual(evenTicks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(evenTicks(3.3, 3.3000000000000003, 8), [3.3]);
  assert.deepEqual(evenTicks(0, 5e-324, 8), [0]);
  assert.deepEqual(logTicks(3.3, 3.3000000000000003, 8), [3.3]);
});
