import assert from "node:assert/strict";
import { test } from "node:test";
import { EnvelopeAccumulator } from "../../src/core/envelope.js";
import { type Axis, entryAt, envelope, indexAt, planMarks, stepsOf, visible, xOf } from "../../src/web/charts/plan.js";
import { BucketColumns, bucketSize } from "../../src/web/data/bucket-columns.js";
import { RunColumns } from "../../src/web/data/run-columns.js";

const SPIKE = 41_234;

/** The same sweep exactly and in buckets, as it comes in messages of various lengths; some losses are not numbers. */
function both({ steps = 100_000, first = 0, every = 64 } = {}): { exact: RunColumns; buckets: BucketColumns } {
  const exact = new RunColumns(first);
  const buckets = new BucketColumns(every, first);
  const accumulator = new EnvelopeAccumulator(every, first);
  for (let from = first, length = 1; from < steps; from += length, length = (length * 7 + 1) % 5000) {
    const at = Array.from({ length: Math.min(length, steps - from) }, (_, i) => from + i);
    const lr = at.map((step) => 10 ** (-3 + (3 * step) / steps));
    const loss = at.map((step) => {
      if (step === SPIKE) return 50;
      return step % 97 === 0 || Math.floor(step / every) === 77 ? null : Math.fround(2 + Math.sin(step) / 2);
    });
    exact.push(lr, loss);
    accumulator.push(
      lr,
      loss.map((value) => value ?? Number.NaN),
    );
    const taken = accumulator.take(from + length >= steps);
    if (taken === null) continue;
    assert.equal(taken.from, buckets.next, "as a stream checks");
    buckets.push(taken);
  }
  return { exact, buckets };
}

for (const first of [0, 1, 63, 64, 12_345]) {
  test(`buckets from step ${first} on are their steps: places, extents, means`, () => {
    const { exact, buckets } = both({ first });
    assert.equal(buckets.next, exact.next);
    assert.equal(buckets.length, Math.ceil(100_000 / 64) - Math.floor(first / 64));
    let next = first;
    for (let i = 0; i < buckets.length; i++) {
      const from = buckets.stepOf(i);
      const to = i + 1 < buckets.length ? buckets.stepOf(i + 1) : buckets.next;
      assert.equal(from, next, "one after the other");
      next = to;
      assert.deepEqual(buckets.loss.extent(i, i + 1), exact.loss.extent(from - first, to - first));
      const losses = [...exact.loss.values().subarray(from - first, to - first)];
      const finite = losses.filter(Number.isFinite);
      assert.equal(buckets.notFinite[i], losses.length - finite.length);
      const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
      if (finite.length === 0) assert.ok(Number.isNaN(buckets.loss.at(i)));
      else assert.equal(buckets.loss.at(i), Math.fround(mean));
      for (const step of [from, from + 0.5, to - 1]) {
        assert.equal(entryAt(buckets, "step", step), i, `step ${step} lies in bucket ${i}`);
      }
      assert.equal(indexAt(buckets, "step", from), i);
      assert.equal(indexAt(buckets, "step", from + 0.5), i + 1);
    }
    assert.equal(next, 100_000);
    for (const [a, b] of [
      [0, buckets.length],
      [3, 700],
      [buckets.length - 2, buckets.length],
    ] as const) {
      const end = b < buckets.length ? buckets.stepOf(b) : buckets.next;
      assert.deepEqual(buckets.loss.extent(a, b), exact.loss.extent(buckets.stepOf(a) - first, end - first));
    }
    assert.equal(buckets.rising, exact.rising);
  });
}

for (const axis of ["step", "lr", "exponent"] satisfies Axis[]) {
  test(`${axis}: what is drawn of buckets holds all that their steps would show, a spike too`, () => {
    const { exact, buckets } = both();
    const whole = visible([exact], axis, null)!;
    const views = [whole, [xOf(exact, axis, 37_000), xOf(exact, axis, 45_000)] as const];
    for (const view of views) {
      const plan = planMarks([exact], axis, view, 300);
      assert.deepEqual(planMarks([buckets], axis, view, 300).x, plan.x);
      const [of, wide] = [envelope(exact, "loss", axis, plan), envelope(buckets, "loss", axis, plan)];
      // Against rates, a bucket's place is its mean rate: it may be drawn beside the pixel of one of its steps.
      for (let i = 0; axis === "step" && i < of.length; i += 2) {
        const [low, high] = [Math.min(of[i]!, of[i + 1]!), Math.max(of[i]!, of[i + 1]!)];
        const [least, most] = [Math.min(wide[i]!, wide[i + 1]!), Math.max(wide[i]!, wide[i + 1]!)];
        assert.ok(least <= low && most >= high, `pixel ${i / 2}`);
      }
      const spike = wide.indexOf(50);
      assert.ok(spike >= 0 && Math.abs(spike - of.indexOf(50)) <= 4, `spike at ${spike}, not ${of.indexOf(50)}`);
    }
  });
}

test("however near, a bucket is drawn as a bar, never as a point", () => {
  const { buckets } = both();
  const plan = planMarks([buckets], "step", [SPIKE - 20, SPIKE + 20], 300);
  assert.ok(!plan.exact);
  const values = envelope(buckets, "loss", "step", plan);
  const from = Math.floor(SPIKE / 64) * 64;
  const { min, max } = buckets.loss.extent(from / 64, from / 64 + 1);
  assert.equal(max, 50);
  for (let i = 0; i < values.length; i += 2) {
    if (plan.x[i]! < from || plan.x[i + 1]! > from + 63) continue;
    assert.deepEqual(new Set([values[i], values[i + 1]]), new Set([min, max]));
  }
});

test("a view's steps reach beyond both of its edges, and not beyond the run", () => {
  const { buckets } = both({ first: 100 });
  assert.deepEqual(stepsOf(buckets, "step", [-50, 200_000]), [100, 100_000]);
  const [from, to] = stepsOf(buckets, "step", [5000, 5100]);
  assert.ok(from < 5000 && from >= 5000 - 3 * 64 && to > 5100 && to <= 5100 + 3 * 64, `${from} to ${to}`);
});

test("smoothed by buckets comes to what it is by steps", () => {
  const { exact, buckets } = both();
  for (const smoothing of [{ kind: "ema", decay: 0.999 } as const, { kind: "mean", window: 6400 } as const]) {
    const [steps, means] = [exact.smoothed(smoothing), buckets.smoothed(smoothing)];
    for (let i = 200; i < buckets.length - 1; i++) {
      const end = buckets.stepOf(i + 1) - 1;
      assert.ok(Math.abs(means[i]! - steps[end]!) < 0.02, `${smoothing.kind}: ${means[i]} and ${steps[end]} at ${end}`);
    }
  }
});

test("a run that fits is taken whole; a longer one in the smallest buckets that do", () => {
  assert.deepEqual([1, 200_000, 2 ** 18].map(bucketSize), [1, 1, 1]);
  assert.deepEqual([2 ** 18 + 1, 2 ** 19, 2 ** 19 + 1, 10_000_000].map(bucketSize), [2, 2, 4, 64]);
});
