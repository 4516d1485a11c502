import assert from "node:assert/strict";
import { test } from "node:test";
import { highestOf, longestOf, ratesShown } from "../../src/web/data/search-view.js";

const point = (lr: number, loss: number | null, steps = 100) => ({ lr, loss, steps, stderr: null, seeds: 1 });
/** Valleys at 2.4 and 2.5 within a scan of five decades, at whose end all diverge. */
const linear = [point(1e-4, 3.3), point(0.01, 3), point(0.1, 2.5), point(0.3, 2.4), point(1, 2.45), point(10, 40)];
const constant = [point(1e-4, 3.3), point(0.03, 2.6), point(0.1, 2.5), point(0.3, 2.9), point(10, null)];

test("a search's chart shows the rates whose losses it shows, not the whole scan", () => {
  const highest = highestOf([linear, constant], 3.3);
  assert.ok(highest > 2.5 && highest < 2.7, `up to ${highest}`);
  const [low, high] = ratesShown([linear, constant], highest)!;
  assert.ok(low < 0.1 && low > 0.01, `from ${low}`);
  assert.ok(high > 1 && high < 3, `to ${high}`);
});

test("where chance is larger than what tells schedules apart, the chart shows as much as chance makes", () => {
  const noisy = [linear, linear].map((curve, i) =>
    curve.map((at) => ({ ...at, loss: at.loss! + i / 100, stderr: 0.1 })),
  );
  const highest = highestOf(noisy, 3.3);
  assert.ok(highest > 2.41 + 0.35 && highest < 2.9, `up to ${highest}`);
});

test("while fewer than three rates are below, all that were trained; before the first, nothing", () => {
  assert.deepEqual(ratesShown([[point(0.001, 9), point(0.1, 2)]], 3), [0.001 / 1.5, 0.1 * 1.5]);
  assert.equal(ratesShown([[]], 3), null);
});

test("the longest horizon at which some schedule has three rates", () => {
  const curve = [point(0.1, 3, 25), point(0.2, 3, 25), point(0.3, 3, 25), point(0.2, 2, 100)];
  assert.equal(longestOf([curve], [100, 25]), 25);
  assert.equal(longestOf([[]], []), null);
});
