import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BOUNDARY, parseDataset, splitExamples } from "../../src/core/dataset.js";
import type { Examples } from "../../src/core/engine.js";

const names = parseDataset(readFileSync(new URL("../../../src/store/datasets/names.txt", import.meta.url), "utf8"));

/** An example as "context>target", in characters. */
function spelled({ count, contexts, targets }: Examples, symbols: readonly string[]): string[] {
  const length = contexts.length / count;
  const characters = (row: Uint8Array) => [...row].map((i) => symbols[i]).join("");
  return Array.from(
    { length: count },
    (_, i) => `${characters(contexts.subarray(i * length, (i + 1) * length))}>${symbols[targets[i]!]}`,
  );
}

test("names: 32,257 words over the boundary and a-z", () => {
  assert.equal(names.words.length, 32_257);
  assert.equal(names.symbols.join(""), ".abcdefghijklmnopqrstuvwxyz");
  assert.equal(names.symbols[0], BOUNDARY);
});

test("names at context 3: 229,804 examples, words cut 80/10/10", () => {
  const splits = splitExamples(names, 3);
  const all = [splits.train, splits.validation, splits.test];
  assert.equal(
    all.reduce((sum, split) => sum + split.count, 0),
    229_804,
  );
  // Each word ends in one boundary, so the boundaries count the words.
  const words = all.map((split) => split.targets.filter((target) => target === 0).length);
  assert.deepEqual(words, [25_805, 3_226, 3_226]);
  for (const { count, contexts, targets } of all) {
    assert.equal(contexts.length, count * 3);
    assert.equal(targets.length, count);
  }
});

test("splitting keeps every word, as often as it is listed, and is repeatable", () => {
  const longest = Math.max(...names.words.map((word) => word.length));
  const splits = splitExamples(names, longest);
  const got = [splits.train, splits.validation, splits.test]
    .flatMap((split) => spelled(split, names.symbols))
    .filter((line) => line.endsWith(`>${BOUNDARY}`))
    .map((line) => line.slice(0, longest).replaceAll(BOUNDARY, ""));
  assert.deepEqual(got.sort(), [...names.words].sort());
  assert.deepEqual(splitExamples(names, longest), splits);
});

test("a word unrolls into each character, then the boundary, after what came before", () => {
  const dataset = parseDataset("emma\n".repeat(5));
  const { train } = splitExamples(dataset, 3);
  assert.equal(train.count, 20);
  assert.deepEqual(spelled(train, dataset.symbols).slice(0, 5), ["...>e", "..e>m", ".em>m", "emm>a", "mma>."]);
});

test("a limit keeps the first training examples, and no split else changes", () => {
  const [all, limited] = [splitExamples(names, 3), splitExamples(names, 3, 33)];
  assert.equal(limited.train.count, 33);
  assert.deepEqual(limited.train.contexts, all.train.contexts.slice(0, 99));
  assert.deepEqual(limited.train.targets, all.train.targets.slice(0, 33));
  assert.deepEqual(limited.validation, all.validation);
  assert.equal(splitExamples(names, 3, 1e9).train.count, all.train.count);
});

test("blank lines and carriage returns are no words; characters are code points", () => {
  const dataset = parseDataset("ab\r\n\r\n\n\u{1F600}a\r\n");
  assert.deepEqual(dataset.words, ["ab", "\u{1F600}a"]);
  assert.deepEqual(dataset.symbols, [BOUNDARY, "a", "b", "\u{1F600}"]);
});
