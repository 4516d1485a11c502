import assert from "node:assert/strict";
import { test } from "node:test";
import {
  centredMean,
  debiasedEma,
  emaValue,
  initEma,
  lightningEma,
  nextEma,
  seededEma,
  windowMeans,
} from "../../src/core/smoothing.js";

test("a constant stays itself when debiased, and is recorded as Lightning's false rise otherwise", () => {
  const constant = new Array(20).fill(3);
  for (const value of debiasedEma(constant, 0.98)) assert.ok(Math.abs(value - 3) < 1e-12);
  const rounded = [...lightningEma(constant, 0.98)].map((value) => Number(value.toFixed(3)));
  assert.deepEqual([rounded[0], rounded[1], rounded[2], rounded[19]], [1.515, 2.02, 2.273, 2.884]);
});

test("the streaming average gives the same bits as the whole series", () => {
  const values = Array.from({ length: 50 }, (_, i) => Math.sin(i) + 2);
  const whole = debiasedEma(values, 0.9);
  let state = initEma();
  for (const [i, value] of values.entries()) {
    state = JSON.parse(JSON.stringify(nextEma(state, value, 0.9)));
    assert.equal(emaValue(state, 0.9), whole[i]);
  }
});

test("smoothing of zero keeps the values", () => {
  const values = [3, 1, 4, 1, 5];
  for (const smooth of [debiasedEma, lightningEma, seededEma]) assert.deepEqual([...smooth(values, 0)], values);
});

test("torch-lr-finder's average starts raw", () => {
  assert.deepEqual([...seededEma([4, 8, 8], 0.25)], [4, 5, 5.75]);
});

test("centred means shrink at the ends; the last window may be short", () => {
  assert.deepEqual([...centredMean([1, 2, 6, 4], 3)], [1.5, 3, 4, 5]);
  assert.deepEqual([...windowMeans([1, 3, 5, 7, 100], 2)], [2, 6, 100]);
  assert.deepEqual([...windowMeans([], 2)], []);
});
