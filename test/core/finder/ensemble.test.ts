import assert from "node:assert/strict";
import { test } from "node:test";
import { ensemble, medianCurve, quantile } from "../../../src/core/finder/ensemble.js";
import { Rng } from "../../../src/core/rng.js";
import { ladder } from "../../../src/core/schedules/ladder.js";

const rate = ladder({ convention: "inclusive", start: 1e-6, end: 10, steps: 100, spacing: "exponential" });
const lr = Array.from({ length: 100 }, (_, i) => rate(i));

function traces(count: number, noise: number, shift = 0) {
  return Array.from({ length: count }, (_, k) => {
    const rng = new Rng(k, 0);
    const knee = 0.01 * 10 ** (shift * rng.normal());
    return { lr, loss: lr.map((x) => 2 + 1 / (1 + x / knee) + (x / 2) ** 2 + noise * rng.normal()) };
  });
}

test("quantiles lie between neighbours, infinities included", () => {
  assert.equal(quantile([1, 2, 4], 0.5), 2);
  assert.equal(quantile([1, 2, 4, 8], 0.5), 3);
  assert.equal(quantile([1, 2, Number.POSITIVE_INFINITY], 0.5), 2);
  assert.equal(quantile([1, Number.POSITIVE_INFINITY], 0.5), Number.POSITIVE_INFINITY);
});

test("the median curve ends where half of the traces have, and survives JSON", () => {
  const short = (n: number, value: number) => ({ lr: lr.slice(0, n), loss: new Array(n).fill(value) });
  const curve = medianCurve([short(50, 1), short(60, 2), short(100, 3)]);
  assert.equal(curve.lr.length, 60);
  assert.equal(curve.median[0], 2);
  assert.equal(curve.median[55], 3);
  assert.equal(curve.high[55], null);
  assert.deepEqual(JSON.parse(JSON.stringify(curve)), curve);
});

test("identical traces have no spread and are safe; scattered ones are not", () => {
  const same = ensemble(traces(8, 0));
  assert.ok(Object.values(same.methods).every((spread) => spread.decades === 0 && spread.safe));
  assert.ok(same.consensus.steep.safe && same.consensus.minimum.safe);
  const scattered = ensemble(traces(8, 0, 1));
  const { lrs, decades, safe } = scattered.methods["torch-lr-finder"];
  assert.ok(lrs.length === 8 && decades! > 0.3 && !safe, `${decades}`);
});

test("the consensus of eight scatters less than half as much as a single trace's steepest point", () => {
  const all = traces(128, 0.15);
  const scatter = (size: number) => {
    const groups = Array.from({ length: 16 }, (_, g) => all.slice(g * size, (g + 1) * size));
    const logs = groups.map((group) => Math.log10(ensemble(group).consensus.steep.lr!));
    const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
    return Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1));
  };
  assert.ok(scatter(8) < scatter(1) / 2, `${scatter(8)} ${scatter(1)}`);
});

test("a single trace is never safe, and none is an error", () => {
  const one = ensemble(traces(1, 0));
  assert.ok(Object.values(one.methods).every((spread) => !spread.safe));
  assert.equal(one.consensus.steep.safe, false);
  assert.throws(() => ensemble([]), RangeError);
});
