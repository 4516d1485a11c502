import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Envelope, EnvelopeAccumulator } from "../../src/core/envelope.js";
import { SeriesAccumulator } from "../../src/core/series.js";

test("buckets begin at multiples of `every`; the one being filled is given only when asked for", () => {
  const buckets = new EnvelopeAccumulator(4, 2);
  buckets.push([1, 2, 3], [5, Number.NaN, 7]);
  assert.equal(buckets.size, 1);
  const first: Envelope = {
    from: 2,
    to: 4,
    every: 4,
    lr: [1.5],
    min: [5],
    max: [5],
    mean: [5],
    notFinite: [1],
  };
  assert.deepEqual(buckets.take(false), first);
  assert.equal(buckets.take(false), null);
  buckets.push([5], [Number.POSITIVE_INFINITY]);
  assert.deepEqual(buckets.take(true), {
    ...first,
    from: 4,
    to: 6,
    lr: [4],
    min: [7],
    max: [7],
    mean: [7],
  });
  buckets.push([1, 1], [Number.NaN, Number.NaN]);
  assert.deepEqual(buckets.take(true), {
    ...first,
    from: 6,
    to: 8,
    lr: [1],
    min: [null],
    max: [null],
    mean: [null],
    notFinite: [2],
  });
});

test("each bucket has the bits of a series of its own, however the steps arrive", () => {
  // JSON does not know minus zero, and neither does a series.
  const value = fc.float().map((number) => number + 0);
  const losses = fc.array(value, { minLength: 1, maxLength: 200 });
  const property = fc.property(
    losses,
    fc.integer({ min: 1, max: 50 }),
    fc.nat(100),
    fc.integer({ min: 1, max: 60 }),
    (loss, every, from, chunk) => {
      const buckets = new EnvelopeAccumulator(every, from);
      const taken: Envelope[] = [];
      const take = (all: boolean) => {
        const envelope = buckets.take(all);
        if (envelope !== null) taken.push(envelope);
      };
      for (let i = 0; i < loss.length; i += chunk) {
        const part = loss.slice(i, i + chunk);
        buckets.push(part, part);
        take(false);
      }
      take(true);
      let step = from;
      for (const [i, mean] of taken.flatMap((envelope) => envelope.mean).entries()) {
        const to = Math.min(from + loss.length, (Math.floor(step / every) + 1) * every);
        const series = new SeriesAccumulator({ from: step, to, points: 1, transform: "none", window: 1 });
        series.push(loss.slice(step - from, to - from));
        const { min, max, mean: wanted, notFinite } = series.result();
        assert.deepEqual([mean], wanted);
        assert.deepEqual([taken.flatMap((envelope) => envelope.min)[i]], min);
        assert.deepEqual([taken.flatMap((envelope) => envelope.max)[i]], max);
        assert.equal(taken.flatMap((envelope) => envelope.notFinite)[i], notFinite);
        step = to;
      }
      assert.equal(step, from + loss.length);
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

test("`every` is a whole number of steps", () => {
  assert.throws(() => new EnvelopeAccumulator(0, 0), RangeError);
  assert.throws(() => new EnvelopeAccumulator(1.5, 0), RangeError);
});
