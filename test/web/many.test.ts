import assert from "node:assert/strict";
import { test } from "node:test";
import { bandOf } from "../../src/web/charts/groups.js";
import { fitMany, heightAt, type ManyLine, nearestLine, resampled } from "../../src/web/charts/many.js";
import { nearest } from "../../src/web/charts/nearest.js";

const line = (...y: number[]): ManyLine => ({ x: Float64Array.from(y, (_, i) => i * 10), y: Float64Array.from(y) });

test("a line's height is between its points, and nowhere else", () => {
  const slope = line(1, 3, 2);
  assert.deepEqual(
    [0, 5, 10, 15, 20].map((x) => heightAt(slope, x)),
    [1, 2, 3, 2.5, 2],
  );
  assert.ok(Number.isNaN(heightAt(slope, -1)) && Number.isNaN(heightAt(slope, 21)));
});

test("the line that passes nearest is pointed at, within reach, in the axis's own geometry", () => {
  const lines = [line(1, 1), line(2, 2), line(100, 100)];
  assert.equal(nearestLine(lines, [5, 1.4], { log: false, reach: 1 }), 0);
  assert.equal(nearestLine(lines, [5, 1.6], { log: false, reach: 1 }), 1);
  assert.equal(nearestLine(lines, [5, 30], { log: false, reach: 1 }), -1);
  assert.equal(nearestLine(lines, [5, 30], { log: true, reach: 1 }), 2);
});

test("the y axis of many: without the fall, and without the few that explode", () => {
  const good = Array.from({ length: 19 }, (_, k) => line(9, ...Array.from({ length: 40 }, () => 2 + k / 100)));
  const lines = [...good, line(9, ...Array.from({ length: 40 }, () => 1e6))];
  const [low, high] = fitMany(lines, [0, 400], "level", false)!;
  assert.ok(low > 1.9 && low < 2 && high > 2.15 && high < 2.4, `${low} to ${high}`);
  assert.ok(fitMany(lines, [0, 400], "all", false)![1] > 1e6);
  assert.equal(fitMany([line(Number.NaN)], [0, 1], "level", false), null);
});

test("lines of different length are averaged where they are", () => {
  const heights = resampled([line(1, 2, 3), line(3, 4)], Float64Array.of(0, 5, 10, 20));
  const { mean, low, high } = bandOf(heights, 4);
  assert.deepEqual(mean, [2, 2.5, 3, 3]);
  assert.deepEqual(low, [1, 1.5, 2, 3]);
  assert.deepEqual(high, [3, 3.5, 4, 3]);
});

test("the interval of a mean is Student's: 3 ± 1.96 of 1 to 5, none of one value", () => {
  // t = 2.776445 at 4 degrees of freedom (Fisher's table), times sqrt(2.5 / 5).
  const { mean, low, high } = bandOf(
    [1, 2, 3, 4, 5].map((value) => [value]),
    1,
    "interval",
  );
  assert.equal(mean[0], 3);
  assert.ok(Math.abs(high[0]! - 3 - 2.776445 * Math.sqrt(0.5)) < 1e-5 && Math.abs(high[0]! + low[0]! - 6) < 1e-12);
  assert.equal(bandOf([[7]], 1, "interval").low[0], null);
});

test("the nearest of some positions", () => {
  const at = Float64Array.of(0, 10, 20);
  assert.deepEqual(
    [-5, 4, 6, 10, 99, null].map((x) => nearest(at, x)),
    [0, 0, 1, 1, 2, 2],
  );
  assert.equal(nearest(new Float64Array(0), 1), -1);
});
