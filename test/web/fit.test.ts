import assert from "node:assert/strict";
import { test } from "node:test";
import { fitRange } from "../../src/web/charts/fit.js";

/** Falls from 3.3 at the beginning to 2.2, and to 2.1 at three quarters of 200 marks. */
const decay = Array.from({ length: 200 }, (_, i) => (i < 150 ? 2.2 + 1.1 * Math.exp(-i / 4) : 2.1));
const noise = decay.map((value, i) => value + (i % 2 === 0 ? 1 : -1));
const line = { values: decay, faint: false };
const raw = { values: noise, faint: true };

test("level: the drop of a step decay is the picture; the fall at the beginning may run out at the top", () => {
  const [low, high] = fitRange([raw, line], "level", false)!;
  assert.ok(low > 2 && low < 2.1, `from ${low}`);
  assert.ok(high < 2.5, `to ${high}: without the fall from 3.3`);
  assert.ok(0.1 / (high - low) > 0.2, `the drop takes ${0.1 / (high - low)} of the height`);
});

test("all: every value, the noise too", () => {
  const [low, high] = fitRange([raw, line], "all", false)!;
  assert.ok(low <= Math.min(...noise) && high >= Math.max(...noise));
});

test("valley: as high above a sweep's beginning as it falls, whatever explodes", () => {
  const sweep = [...Array.from({ length: 100 }, (_, i) => 3.3 - i / 100), ...[10, 100, 1e6]];
  const [low, high] = fitRange([{ values: sweep, faint: false }], "valley", false)!;
  assert.ok(low < 2.32 && high > 3.3 && high < 4.5, `${low} to ${high}`);
});

test("a log axis shows positive values, an empty chart nothing", () => {
  const [low, high] = fitRange([{ values: [-1, 0, 0.01, 100, null, Number.NaN], faint: false }], "all", true)!;
  assert.ok(low > 0 && low < 0.01 && high > 100);
  assert.equal(fitRange([{ values: [null, Number.NaN], faint: false }], "all", false), null);
  assert.equal(fitRange([raw], "level", false), null);
});

test("two losses of a run that diverged at once are both shown", () => {
  const [low, high] = fitRange([{ values: [3.3, 4e5], faint: false }], "level", false)!;
  assert.ok(low <= 3.3 && high >= 4e5, `${low} to ${high}`);
});

test("a constant line has room about it", () => {
  const [low, high] = fitRange([{ values: [2, 2, 2], faint: false }], "level", false)!;
  assert.ok(low < 2 && high > 2);
});

test("what is above a limit takes no room, not even by its margin", () => {
  const losses = [2.42, 2.5, 2.6, 40];
  const [low, high] = fitRange([{ values: losses, faint: false }], "all", false, 2.7)!;
  assert.ok(low > 2.4 && low < 2.42 && high > 2.7 && high < 2.72, `${low} to ${high}`);
});
