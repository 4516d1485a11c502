import assert from "node:assert/strict";
import { test } from "node:test";
import { lightningByIndex, lightningByLr, valley } from "../../../src/core/finder/methods.js";
import { type SuggestOptions, suggest } from "../../../src/core/finder/suggest.js";
import { ladder } from "../../../src/core/schedules/ladder.js";
import { SUGGESTION_METHODS, type SuggestionMethod } from "../../../src/schemas/suggestions.js";

const rate = ladder({ convention: "fastai", start: 1e-7, end: 10, steps: 100, spacing: "exponential" });
const lr = Array.from({ length: 100 }, (_, i) => rate(i));
const clean = { lr, loss: lr.map((x) => 2 + 1 / (1 + x / 0.01) + (x / 2) ** 2) };
/** The curve as it is: no smoothing, no stop. */
const asIs: SuggestOptions = { smoothing: 0, stopFactor: null, skipStart: 10, skipEnd: 5 };

function only(method: SuggestionMethod, trace: { lr: number[]; loss: number[] }, options: SuggestOptions = {}) {
  return suggest(trace, { ...options, methods: [method] }).suggestions[0]!;
}

test("the conformance vectors of a noise-free curve", () => {
  const expected: [SuggestionMethod, number][] = [
    ["fastai/valley", 2.754229e-4],
    ["fastai/slide", 3.019952e-3],
    ["fastai/minimum", 2.511886e-2],
    ["fastai/steep", 9.120108e-3],
    ["torch-lr-finder", 9.120108e-3],
    ["ignite", 9.120108e-3],
    ["lightning<2.5.3", 9.120108e-3],
  ];
  for (const [method, value] of expected) {
    const found = only(method, clean, asIs).lr!;
    assert.ok(Math.abs(found / value - 1) < 1e-6, `${method}: ${found}`);
  }
});

test("valley's start may be -1, and its index may then mean the last point", () => {
  const nine = Array.from({ length: 9 }, (_, i) => i);
  assert.equal(valley({ lr: nine, loss: nine.map((i) => 9 - i) }).lr, 3);
  assert.equal(valley({ lr: [10, 20], loss: [2, 1] }).lr, 20);
  assert.equal(valley({ lr: [10, 20], loss: [1, 2] }).lr, 10);
});

test("keras_lr_finder takes the steepest change over sma rungs", () => {
  const loss = [...new Array(20).fill(5), 4, 2, 2, 2, ...new Array(16).fill(2)];
  const rates = loss.map((_, i) => i + 1);
  assert.equal(only("keras_lr_finder", { lr: rates, loss }, { sma: 1 }).lr, 22);
  assert.equal(only("keras_lr_finder", { lr: rates, loss }, { sma: 4 }).lr, 22);
  assert.equal(only("keras_lr_finder", { lr: rates, loss }, { sma: 1, skipStart: 25, skipEnd: 0 }).lr, 26);
});

test("each library's own stop rule cuts the trace", () => {
  // A deep dip after a divergence of 4.5 times the best: fastai never sees it, torch-lr-finder's factor of 5 lets it through.
  const loss = lr.map((_, i) => (i < 40 ? 2 - i / 50 : i < 60 ? 1.22 * 4.5 : 0.1));
  assert.equal(only("fastai/minimum", { lr, loss }, { smoothing: 0 }).lr, lr[35]! / 10);
  assert.equal(only("ignite", { lr, loss }, { smoothing: 0 }).lr, lr[59]);
});

test("NaN and infinity are met as each library meets them", () => {
  const loss = [...clean.loss];
  loss[80] = Number.NaN;
  // fastai cuts there; before it the curve falls all the way, so the last point is the lowest.
  assert.equal(only("fastai/minimum", { lr, loss }, asIs).lr, lr[79]! / 10);
  // numpy's argmin takes a NaN for the smallest, and the slope before it is the first NaN.
  assert.equal(only("torch-lr-finder", { lr, loss }, asIs).lr, lr[79]);
  // Lightning drops the points; before 2.5.3 a drop ahead of the steepest point shifts the answer by one rung.
  const recorded = [...clean.loss];
  recorded[30] = Number.POSITIVE_INFINITY;
  const steepest = lr.indexOf(lightningByIndex(clean).lr!);
  assert.equal(lightningByIndex({ lr, loss: recorded }).lr, lr[steepest - 1]);
  assert.equal(lightningByLr({ lr: lr.slice(50), loss: clean.loss.slice(50) }).lr, lr[50]);
  assert.equal(lightningByLr({ lr, loss: lr.map((_, i) => (i < 99 ? Number.NaN : 1)) }).lr, null);
});

test("a trace too short has reasons instead of rates, and no warning", () => {
  for (const length of [0, 1, 5]) {
    const short = { lr: lr.slice(0, length), loss: clean.loss.slice(0, length) };
    const { suggestions, warning } = suggest(short, { skipStart: 10 });
    assert.equal(warning, null);
    assert.deepEqual(
      suggestions.map((s) => s.method),
      [...SUGGESTION_METHODS],
    );
    for (const suggestion of suggestions) assert.ok(suggestion.lr === null && suggestion.reason !== undefined);
  }
});

test("a disagreement above a decade is warned of, one below is not", () => {
  const all = suggest(clean, asIs);
  assert.ok(all.disagreementDecades > 4);
  assert.match(all.warning!, /disagree by 4\.\d decades: lightning>=2\.5\.3 .* fastai\/minimum/);
  const two = suggest(clean, { ...asIs, methods: ["fastai/minimum", "fastai/steep"] });
  assert.ok(two.disagreementDecades > 0.4 && two.disagreementDecades < 0.5);
  assert.equal(two.warning, null);
});
