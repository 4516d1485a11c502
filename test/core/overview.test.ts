import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EnvelopeAccumulator } from "../../src/core/envelope.js";
import { initOverview, nextOverview, pictureOf } from "../../src/core/overview.js";
import { debiasedEma, defaultDecay } from "../../src/core/smoothing.js";
import { OVERVIEW_POINTS, type StoredOverview } from "../../src/schemas/overview.js";

const random = (i: number) => Math.fround(2 + Math.sin(i * 12.9898) * 1.3);

/** Shown steps [from, to) in chunks that end where `cuts` says. */
function shown(
  shape: { steps: number; from: null },
  from: number,
  to: number,
  cuts: readonly number[],
): StoredOverview {
  let overview = initOverview(shape);
  const ends = [...cuts.filter((cut) => cut > from && cut < to).sort((a, b) => a - b), to];
  let begin = from;
  for (const end of ends) {
    if (end === begin) continue;
    const at = Array.from({ length: end - begin }, (_, i) => begin + i);
    overview = nextOverview(overview, shape, {
      from: begin,
      lr: Float64Array.from(at, (i) => 1 / (1 + i)),
      loss: Float32Array.from(at, (i) => (i % 37 === 5 ? Number.NaN : random(i))),
      evals: at.filter((i) => (i + 1) % 50 === 0).map((i) => ({ step: i + 1, validationLoss: random(i * 7) })),
    });
    begin = end;
  }
  return overview;
}

test("how a run is cut into chunks changes nothing", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 700 }), fc.array(fc.integer({ min: 1, max: 700 })), (steps, cuts) => {
      const shape = { steps, from: null };
      assert.deepEqual(shown(shape, 0, steps, cuts), shown(shape, 0, steps, []));
    }),
  );
});

test("points are means of equal stretches, few enough; the smoothed loss is the chart's; the best validation is kept", () => {
  const shape = { steps: 1000, from: null };
  const overview = shown(shape, 0, 950, [300]);
  const { every, loss, lr } = pictureOf(overview);
  assert.equal(every, Math.ceil(1000 / OVERVIEW_POINTS));
  assert.equal(loss.length, Math.ceil(950 / every));
  assert.ok(loss.length <= OVERVIEW_POINTS);
  const finite = Array.from({ length: every }, (_, i) => i).filter((i) => i % 37 !== 5);
  const mean = finite.reduce((sum, i) => sum + random(i), 0) / finite.length;
  assert.ok(Math.abs(loss[0]! - mean) < 1e-4, "steps that are not finite are left out");
  assert.ok(
    Math.abs(lr[0]! - Array.from({ length: every }, (_, i) => 1 / (1 + i)).reduce((a, b) => a + b) / every) < 1e-4,
  );
  const all = Array.from({ length: 950 }, (_, i) => i)
    .filter((i) => i % 37 !== 5)
    .map(random);
  assert.ok(Math.abs(overview.smoothed! - debiasedEma(all, defaultDecay(1000)).at(-1)!) < 1e-12);
  const evals = Array.from({ length: 19 }, (_, k) => 50 * (k + 1)).map((step) => ({
    step,
    loss: random((step - 1) * 7),
  }));
  assert.deepEqual(
    overview.best,
    evals.reduce((a, b) => (b.loss < a.loss ? b : a)),
  );
  assert.equal(overview.first, random(0));
});

test("a run whose beginning was stored without one has no points there", () => {
  const { loss, lr } = shown({ steps: 600, from: null }, 25, 40, []);
  assert.deepEqual(
    [loss.slice(0, 2), lr.slice(0, 2)],
    [
      [null, null],
      [null, null],
    ],
  );
  assert.equal(loss.length, 4);
});

test("a constant rate stays what it is in an envelope", () => {
  const buckets = new EnvelopeAccumulator(1000, 0);
  buckets.push(new Float64Array(3000).fill(0.1), new Float32Array(3000).fill(0.7));
  const { lr, mean } = buckets.take(true)!;
  assert.deepEqual([lr, mean], [[0.1, 0.1, 0.1], new Array(3).fill(Math.fround(0.7))]);
});
