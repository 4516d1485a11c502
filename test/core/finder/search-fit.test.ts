import assert from "node:assert/strict";
import { test } from "node:test";
import { excessOver, fitMinimum, lastArms, type Trial } from "../../../src/core/finder/search-fit.js";

const logs = [-1.5, -1.375, -1.25, -1.125, -1, -0.875];

function trials(loss: (log: number, seed: number) => number | null, seeds = 3, steps = 100): Trial[] {
  return logs.flatMap((log) =>
    Array.from({ length: seeds }, (_, seed) => ({ lr: 10 ** log, seed, steps, loss: loss(log, seed) })),
  );
}

test("a parabola's minimum is found exactly, whatever the seeds add, with the least interval", () => {
  const { lr, interval } = fitMinimum(lastArms(trials((log, seed) => 5 * seed + (log + 1.2) ** 2)), [1e-4, 1]);
  assert.ok(Math.abs(Math.log10(lr) + 1.2) < 1e-5);
  assert.ok(Math.abs(Math.log10(interval[1] / interval[0]) - 0.2) < 1e-5);
});

test("the interval widens when the seeds disagree, and stays within the range", () => {
  const scattered = lastArms(trials((log, seed) => (log + 1.2 + 0.1 * (seed - 1)) ** 2));
  const { interval } = fitMinimum(scattered, [1e-4, 1]);
  assert.ok(Math.log10(interval[1] / interval[0]) > 0.4);
  assert.deepEqual(fitMinimum(scattered, [0.06, 0.07]).interval, [0.06, 0.07]);
});

test("without a minimum inside, the lowest arm; diverged arms do not count", () => {
  const falling = fitMinimum(lastArms(trials((log) => -log - (log + 1.2) ** 2)), [1e-4, 1]);
  assert.ok(Math.abs(Math.log10(falling.lr) + 0.875) < 1e-5);
  const diverged = trials((log, seed) => (log > -1.2 && seed === 1 ? null : (log + 1) ** 2));
  assert.ok(Math.log10(fitMinimum(lastArms(diverged), [1e-4, 1]).lr) < -1.2);
  assert.throws(() => fitMinimum(lastArms(trials(() => null)), [1e-4, 1]), RangeError);
});

test("the last arms are those with the most steps, then the most seeds", () => {
  const low = trials(() => 1, 5, 10);
  const single: Trial = { lr: 0.5, seed: 0, steps: 100, loss: 9 };
  assert.equal(lastArms([...low, ...trials(() => 1), single]).length, logs.length);
});

test("an excess is paired by seed, and null where it cannot be", () => {
  const pair: Trial[] = [
    { lr: 0.1, seed: 0, steps: 100, loss: 1 },
    { lr: 0.1, seed: 1, steps: 100, loss: 3 },
    { lr: 0.2, seed: 1, steps: 100, loss: 3.5 },
    { lr: 0.3, seed: 1, steps: 100, loss: null },
    { lr: 0.4, seed: 2, steps: 100, loss: 1 },
  ];
  assert.equal(excessOver(pair, 0.2, 0.1, 100), 0.5);
  for (const lr of [0.3, 0.4, 0.5]) assert.equal(excessOver(pair, lr, 0.1, 100), null);
});
