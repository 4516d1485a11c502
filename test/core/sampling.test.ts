import assert from "node:assert/strict";
import { test } from "node:test";
import { parameterCount, tensors } from "../../src/core/model.js";
import { Rng, STREAM } from "../../src/core/rng.js";
import { type SamplingOptions, sampleWords } from "../../src/core/sampling.js";
import type { ModelSpec } from "../../src/schemas/model.js";

const SYMBOLS = [".", "a", "b", "c"];
const MODEL: ModelSpec = { contextLength: 1, embeddingDim: 4, hiddenSizes: [], activation: "tanh", init: "scaled" };

/** The words that are drawn, and how often the generator yielded. */
function drawn(options: SamplingOptions): { words: string[]; yields: number } {
  const all = [...sampleWords(options)];
  return { words: all.filter((word) => word !== null), yields: all.length };
}

/**
 * A model without hidden layers whose logits are a table: the embedding is the unit matrix, so row i of the weights says
 * what follows symbol i.
 */
function table(rows: readonly (readonly number[])[], bias: readonly number[] = [0, 0, 0, 0]): Float32Array {
  const unit = SYMBOLS.flatMap((_, i) => SYMBOLS.map((_, j) => Number(i === j)));
  return Float32Array.from([...unit, ...rows.flat(), ...bias]);
}

const SURE = 100;
const follows = (next: number) => SYMBOLS.map((_, i) => (i === next ? SURE : 0));
const COMMON = { model: MODEL, symbols: SYMBOLS, count: 3, temperature: 1, seed: 5, longest: 20 };

test("each symbol follows from the one before, the boundary begins and ends a word", () => {
  // . -> b -> a -> c -> .
  const parameters = table([follows(2), follows(3), follows(1), follows(0)]);
  const { words, yields } = drawn({ ...COMMON, parameters });
  assert.deepEqual(words, ["bac", "bac", "bac"]);
  assert.equal(yields, 3 * 4, "one for each symbol and one for each word");
});

test("the bias counts, and a word without end is cut off", () => {
  const nothing = SYMBOLS.map(() => SYMBOLS.map(() => 0));
  const parameters = table(nothing, [0, 0, 0, SURE]);
  assert.deepEqual(drawn({ ...COMMON, parameters, count: 1, longest: 7 }).words, ["ccccccc"]);
});

test("a context of several symbols is shifted: the newest is the last", () => {
  const model = { ...MODEL, contextLength: 2 };
  // Row 4 s + i: what symbol i at place s adds. The older decides once it is a letter: . . -> a, . a -> b, a b -> c, b c -> .
  const older = [follows(0).map(() => 0), follows(3).map((x) => 9 * x), follows(0).map((x) => 9 * x), follows(0)];
  const newest = [follows(1), follows(2), follows(0), follows(0)];
  const parameters = table([...older, ...newest]);
  assert.deepEqual(drawn({ ...COMMON, model, parameters }).words, ["abc", "abc", "abc"]);
});

test("hidden layers: tanh is bounded, relu cuts off below 0", () => {
  for (const [activation, wanted] of [
    ["tanh", ["a", "a", "a"]],
    ["relu", ["b", "b", "b"]],
  ] as const) {
    const model: ModelSpec = { ...MODEL, embeddingDim: 1, hiddenSizes: [2], activation };
    const parameters = new Float32Array(parameterCount(model, 4));
    const set = (name: string, values: readonly number[]) =>
      parameters.set(values, tensors(model, 4).find((tensor) => tensor.name === name)!.offset);
    // Only the boundary is embedded as 1. Hidden: -1 and 3 before the activation there, 0 and 0 after a letter.
    set("embedding", [1, 0, 0, 0]);
    set("layers.0.weight", [-1, 3]);
    // Hidden values (h0, h1): tanh (-0.762, 0.995), relu (0, 3); as they are they would give c.
    // a: 30 - 100 h0; b: 50 h1; c: 50 h1 - 150 h0 - 100.
    set("layers.1.weight", [0, -100, 0, -150, 0, 0, 50, 50]);
    set("layers.1.bias", [28, 30, 0, -100]);
    // After a letter the boundary has 28 and a has 30: cut there by the length.
    assert.deepEqual(drawn({ ...COMMON, model, parameters, longest: 1 }).words, wanted);
  }
});

test("symbols come as often as softmax(logits / temperature) says", () => {
  const odds = [0.1, 0.2, 0.3, 0.4];
  const logits = odds.map(Math.log);
  const parameters = table([logits, logits, logits, logits]);
  const count = 20_000;
  for (const temperature of [1, 0.5, 2]) {
    const { words } = drawn({ ...COMMON, parameters, count, longest: 1, temperature });
    const powers = odds.map((p) => p ** (1 / temperature));
    const total = powers.reduce((sum, power) => sum + power, 0);
    for (const [i, power] of powers.entries()) {
      const share = words.filter((word) => word === SYMBOLS[i]!.replace(".", "")).length / count;
      const expected = power / total;
      // Five deviations.
      const allowed = 5 * Math.sqrt((expected * (1 - expected)) / count);
      assert.ok(Math.abs(share - expected) < allowed, `${SYMBOLS[i]} at ${temperature}: ${share}, not ${expected}`);
    }
  }
});

test("the draws are those of the seed's sampling stream, one a symbol", () => {
  const even = SYMBOLS.map(() => SYMBOLS.map(() => 0));
  const rng = new Rng(5, STREAM.sample);
  const wanted = Array.from({ length: 50 }, () => {
    let word = "";
    for (let symbol = Math.floor(rng.uniform() * 4); symbol !== 0; symbol = Math.floor(rng.uniform() * 4))
      word += SYMBOLS[symbol];
    return word;
  });
  assert.deepEqual(drawn({ ...COMMON, parameters: table(even), count: 50, longest: 1000 }).words, wanted);
  assert.notDeepEqual(drawn({ ...COMMON, parameters: table(even), count: 50, seed: 6 }).words, wanted);
});

test("logits far apart and temperatures near 0 do not overflow", () => {
  const parameters = table([
    [-3e38, 3e38, -3e38, 0],
    [3e38, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
  assert.deepEqual(drawn({ ...COMMON, parameters, temperature: 1e-3 }).words, ["a", "a", "a"]);
});
