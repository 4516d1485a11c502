import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Series, SeriesAccumulator, type SeriesOptions } from "../../src/core/series.js";
import { windowMeans } from "../../src/core/smoothing.js";

function series(options: SeriesOptions, values: readonly number[], chunk = values.length || 1): Series {
  const accumulator = new SeriesAccumulator(options);
  for (let i = 0; i < values.length; i += chunk) accumulator.push(values.slice(i, i + chunk));
  return accumulator.result();
}

test("buckets hold the exact minimum, maximum and mean", () => {
  const options = { from: 10, to: 16, points: 3, transform: "none", window: 1 } as const;
  assert.deepEqual(series(options, [1, 3, 2, 2, -5, 7]), {
    step: [10, 12, 14],
    min: [1, 2, -5],
    max: [3, 2, 7],
    mean: [2, 2, 1],
    count: [2, 2, 2],
    notFinite: 0,
  });
});

test("window means of log10 are the textbook's plot", () => {
  const losses = Array.from({ length: 2500 }, (_, i) => 3 + Math.sin(i));
  const found = series({ from: 0, to: 2500, points: 100, transform: "log10", window: 1000 }, losses);
  assert.deepEqual(found.mean, [...windowMeans(losses.map(Math.log10), 1000)]);
  assert.deepEqual(found.step, [0, 1000, 2000]);
});

test("losses that are not finite are counted and left out", () => {
  const found = series({ from: 0, to: 4, points: 2, transform: "log10", window: 1 }, [0, Number.NaN, 10, 1000]);
  assert.deepEqual(found.mean, [null, 2]);
  assert.equal(found.notFinite, 2);
  assert.deepEqual(series({ from: 5, to: 5, points: 2, transform: "none", window: 1 }, []).step, []);
});

test("more values than steps are refused", () => {
  assert.throws(() => series({ from: 0, to: 2, points: 2, transform: "none", window: 1 }, [1, 2, 3]), RangeError);
});

test("any cut gives the same buckets, each agreeing with its slow twin", () => {
  const check = (from: number, values: number[], points: number, window: number, chunk: number) => {
    const options = { from, to: from + values.length, points, transform: "none", window } as const;
    const whole = series(options, values);
    assert.deepEqual(series(options, values, chunk), whole);
    const items: { first: number; mean: number }[] = [];
    for (let i = 0; i < values.length; ) {
      let end = i + 1;
      while (end < values.length && (from + end) % window !== 0) end++;
      const slice = values.slice(i, end);
      items.push({ first: from + i, mean: slice.reduce((sum, v) => sum + v, 0) / slice.length });
      i = end;
    }
    const buckets = Math.min(points, items.length);
    assert.equal(whole.step.length, buckets);
    for (let b = 0; b < buckets; b++) {
      const mine = items.filter((_, i) => Math.floor((i * buckets) / items.length) === b);
      assert.equal(whole.step[b], mine[0]!.first);
      assert.equal(whole.min[b], Math.min(...mine.map((item) => item.mean)));
      assert.equal(whole.max[b], Math.max(...mine.map((item) => item.mean)));
      assert.equal(whole.mean[b], mine.reduce((sum, item) => sum + item.mean, 0) / mine.length);
    }
  };
  fc.assert(
    fc.property(
      fc.nat(30),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 80 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 30 }),
      check,
    ),
  );
});
