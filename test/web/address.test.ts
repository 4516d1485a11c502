import assert from "node:assert/strict";
import { test } from "node:test";
import { hiddenText, parseHidden } from "../../src/web/charts/legend-state.js";
import { parseStretch, stretchText } from "../../src/web/charts/stretch.js";

test("a stretch of an axis goes into an address and comes back, however small", () => {
  for (const [low, high] of [
    [0, 1],
    [9_999_990, 10_000_000],
    [1e-4, 10],
    [-3.25, -0.5],
    [2.2455, 2.2456],
  ] as const) {
    const back = parseStretch(stretchText([low, high]))!;
    const apart = Math.max(Math.abs(back[0] - low), Math.abs(back[1] - high));
    assert.ok(apart < (high - low) / 1000, `${low} to ${high} came back as ${back}`);
  }
  assert.equal(stretchText([1 / 3, 2 / 3]), "0.33333..0.66667");
});

test("what is no stretch shows all", () => {
  for (const text of [null, "", "1", "1..", "..2", "2..1", "1..1", "a..b", "1..2..3", "0..Infinity"])
    assert.equal(parseStretch(text), null, String(text));
});

test("hidden keys go into an address and come back; what is none hides nothing", () => {
  const keys = new Set(['a, "b"', "lr 0.1"]);
  assert.deepEqual(parseHidden(hiddenText(keys)), keys);
  assert.equal(hiddenText(new Set()), null);
  for (const text of [null, "", "{", "3", "[1]"]) assert.equal(parseHidden(text).size, 0, String(text));
});
