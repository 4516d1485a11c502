import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { argmin, gradient, gradientOver } from "../../../src/core/finder/gradient.js";
import { suggest } from "../../../src/core/finder/suggest.js";
import { ladder } from "../../../src/core/schedules/ladder.js";
import { lightningEma } from "../../../src/core/smoothing.js";

interface Golden {
  readonly lightning: { kind: string; lr: number[]; raw: number[]; recorded: number[]; suggestion: number }[];
  readonly vector: { lr: number[]; loss: number[]; suggestion: number };
  readonly numpy: { x: number[]; y: number[]; index: number[]; over: number[] }[];
  readonly ladders: { spacing: "exponential" | "linear"; start: number; end: number; steps: number; lr: number[] }[];
}
const golden: Golden = JSON.parse(
  readFileSync(new URL("../../../../test/golden/finder.json", import.meta.url), "utf8"),
);

function close(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of expected.entries()) {
    assert.ok(
      Math.abs(actual[i]! - value) <= tolerance * Math.max(Math.abs(value), 1e-9),
      `${i}: ${actual[i]} for ${value}`,
    );
  }
}

test("numpy.gradient, by index and over uneven coordinates", () => {
  for (const { x, y, index, over } of golden.numpy) {
    close(gradient(y), index, 1e-12);
    close(gradientOver(y, x), over, 1e-9);
  }
});

test("Lightning's own callback records the same losses and stops at the same step", () => {
  for (const { raw, recorded } of golden.lightning)
    close(lightningEma(raw, 0.98).subarray(0, recorded.length), recorded, 1e-12);
  assert.ok(golden.lightning.some(({ raw, recorded }) => recorded.length < raw.length));
});

test("Lightning 2.6.6 suggests the same rung from the same raw losses", () => {
  for (const { lr, raw, suggestion } of golden.lightning) {
    const found = suggest({ lr, loss: raw }, { methods: ["lightning>=2.5.3"] }).suggestions[0]!.lr;
    assert.equal(found, suggestion);
  }
});

test("Lightning's ladder, its skipped rung included", () => {
  for (const { lr, ...options } of golden.ladders) {
    const rate = ladder({ convention: "lightning", ...options });
    close(
      lr.map((_, step) => rate(step)),
      lr,
      1e-12,
    );
  }
});

test("on the noise-free curve float32 decides Lightning's answer: exactly, the first kept point is the steepest", () => {
  const { lr, loss, suggestion } = golden.vector;
  const asIs = { smoothing: 0, stopFactor: null, skipStart: 10, skipEnd: 5 };
  assert.equal(suggest({ lr, loss }, { ...asIs, methods: ["lightning>=2.5.3"] }).suggestions[0]!.lr, suggestion);
  assert.equal(argmin(gradientOver(loss.slice(10, -5), lr.slice(10, -5))), 0);
});
