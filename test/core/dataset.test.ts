import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkDataset } from "../../src/core/check-dataset.js";
import { BOUNDARY, datasetStatistics, parseDataset, splitExamples } from "../../src/core/dataset.js";
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

test("statistics are those of the examples that a split makes, at any context length", () => {
  for (const dataset of [names, parseDataset("a\nbb\n\u{1F600}cc\n".repeat(7))]) {
    const statistics = datasetStatistics(dataset);
    const splits = splitExamples(dataset, 5);
    for (const part of ["train", "validation", "test"] as const) {
      assert.equal(statistics.splits[part].examples, splits[part].count);
      assert.equal(statistics.splits[part].items, splits[part].targets.filter((target) => target === 0).length);
    }
    assert.equal(statistics.items, dataset.words.length);
    assert.deepEqual(statistics.symbols, dataset.symbols);
    const lengths = dataset.words.map((word) => [...word].length);
    assert.equal(statistics.longest, Math.max(...lengths));
    assert.equal(statistics.meanLength, lengths.reduce((sum, length) => sum + length) / lengths.length);
  }
});

/** What is wrong with a text; empty: nothing. */
function told(text: string): string[] {
  const checked = checkDataset(text);
  return checked.ok ? [] : checked.errors.map(({ expected }) => expected);
}

test("ten items are the fewest, and leave no split empty", () => {
  const ten = "ab\n".repeat(10);
  const checked = checkDataset(ten);
  assert.ok(checked.ok);
  for (const { items, examples } of Object.values(checked.value.splits)) assert.ok(items > 0 && examples > items);
  assert.match(told("ab\n".repeat(9))[0]!, /^at least 10 items, one a line; here are 9$/);
  assert.match(told("")[0]!, /here are 0$/);
  assert.match(told("\r\n".repeat(50))[0]!, /here are 0$/);
});

test("what is wrong is told by line: boundary, control characters, length; at most ten of them", () => {
  const good = "word\r\n\r\n".repeat(10);
  assert.deepEqual(told(good), []);
  assert.deepEqual(told(`${good}a.b\n`), ["line 21: no full stop: it is kept for an item's boundary"]);
  for (const [symbol, name] of Object.entries({
    "\0": "U+0000",
    "\t": "U+0009",
    "\r": "U+000D",
    "\u007f": "U+007F",
    "\u0085": "U+0085",
    "\u2028": "U+2028",
    "\ufeff": "U+FEFF",
  })) {
    assert.deepEqual(told(`${good}x${symbol}y`), [
      `line 21: no control character, separator or byte order mark; here is ${name}`,
    ]);
  }
  assert.deepEqual(told(`${good}${"\u{1F600}".repeat(1000)}\n`), [], "1000 symbols, in UTF-16 twice as long");
  assert.deepEqual(told(`${good}${"\u{1F600}".repeat(1001)}\n`), ["line 21: an item of at most 1000 symbols"]);
  assert.equal(told("a.b\n".repeat(100)).length, 10);
  assert.deepEqual(told("a\n".repeat(200_000)), []);
  assert.deepEqual(told("a\n".repeat(200_001)), ["at most 200000 items; here are 200001"]);
});

test("255 symbols besides the boundary, and not one more; letters that look alike stay apart", () => {
  const alphabet = Array.from({ length: 255 }, (_, i) => String.fromCodePoint(0x4e00 + i));
  const text = `${alphabet.join("\n")}\n`;
  const checked = checkDataset(text);
  assert.ok(checked.ok);
  assert.equal(checked.value.symbols.length, 256);
  assert.deepEqual(told(`${text}\u{1F600}\n`), ["line 256: at most 255 different symbols in all; one more is U+1F600"]);
  const composed = checkDataset("\u00e9\ne\u0301\n".repeat(5));
  assert.ok(composed.ok);
  assert.deepEqual(composed.value.symbols, [BOUNDARY, "e", "\u00e9", "\u0301"]);
});
