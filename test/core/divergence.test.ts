import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { initDivergence, observe } from "../../src/core/divergence.js";
import { debiasedEma } from "../../src/core/smoothing.js";

const policy = { factor: 4, smoothing: 0.98 };

test("names the first step whose loss is not finite, counting from the chunk's first", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const { firstBadStep, state } = observe(policy, initDivergence(), [1, 1, bad, 1], 100);
    assert.equal(firstBadStep, 102);
    assert.equal(observe(policy, state, [1], 104).firstBadStep, 102);
  }
});

test("a smoothed loss above factor times the best is bad; a rise short of it is not", () => {
  const losses = [1, 1, 1, ...new Array(300).fill(5)];
  const expected = debiasedEma(losses, 0.98).findIndex((value) => value > 4);
  assert.ok(expected > 10);
  assert.equal(observe(policy, initDivergence(), losses, 0).firstBadStep, expected);
  const fine = [1, 1, 1, ...new Array(300).fill(3.9)];
  assert.equal(observe(policy, initDivergence(), fine, 0).firstBadStep, null);
});

test("the answer does not depend on how the run is cut, through JSON", () => {
  const loss = fc.oneof(
    { weight: 20, arbitrary: fc.double({ min: 0, max: 20, noNaN: true }) },
    fc.constant(Number.NaN),
  );
  const check = (losses: number[], cuts: number[], smoothing: number) => {
    const whole = observe({ factor: 2, smoothing }, initDivergence(), losses, 7);
    let state = initDivergence();
    let from = 0;
    for (const to of [...new Set(cuts.map((cut) => cut % (losses.length + 1)))]
      .sort((a, b) => a - b)
      .concat(losses.length)) {
      const part = observe({ factor: 2, smoothing }, state, losses.slice(from, to), 7 + from);
      state = JSON.parse(JSON.stringify(part.state));
      from = to;
    }
    assert.deepEqual(state, whole.state);
  };
  fc.assert(fc.property(fc.array(loss, { maxLength: 60 }), fc.array(fc.nat(60)), fc.constantFrom(0, 0.5, 0.98), check));
});
