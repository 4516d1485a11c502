import assert from "node:assert/strict";
import { test } from "node:test";
import { debiasedEma, windowMeans } from "../../src/core/smoothing.js";
import { Smoother } from "../../src/web/data/smoother.js";

const values = Float32Array.from({ length: 3000 }, (_, i) => 3 + Math.sin(i * 12.9898) * 0.7);
const close = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.abs(b);

test("the moving average is core's, taken in parts, and anew when the decay changes", () => {
  const smoother = new Smoother();
  for (const decay of [0.9, 0.999, 0]) {
    const expected = debiasedEma(values, decay);
    let smoothed = new Float32Array();
    for (let end = 1; end <= values.length; end += 313) {
      smoothed = smoother.update(values.subarray(0, end), { kind: "ema", decay }) as Float32Array<ArrayBuffer>;
    }
    assert.equal(
      smoothed.findIndex((value, i) => !close(value, expected[i]!)),
      -1,
      `decay ${decay}`,
    );
  }
});

test("the window's mean is core's where a window ends", () => {
  const smoothed = new Smoother().update(values, { kind: "mean", window: 100 });
  for (const [w, mean] of windowMeans(values, 100).entries())
    assert.ok(close(smoothed[w * 100 + 99]!, mean), `window ${w}`);
});

test("a loss that is not finite is passed over", () => {
  const broken = values.slice();
  broken[10] = Number.NaN;
  const smoother = new Smoother();
  for (const smoothing of [{ kind: "ema", decay: 0.9 } as const, { kind: "mean", window: 5 } as const]) {
    assert.ok(smoother.update(broken, smoothing).every(Number.isFinite));
  }
});
