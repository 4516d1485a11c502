import assert from "node:assert/strict";
import { test } from "node:test";
import { drawBatch, philox, Rng, STREAM } from "../../src/core/rng.js";

// The known answers of Random123 for philox4x32-10: counter, key, result.
const KNOWN: [number[], number[], number[]][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

for (const [[c0, c1, c2, c3], [k0, k1], want] of KNOWN as [
  [number, number, number, number],
  [number, number],
  number[],
][]) {
  test(`philox of counter ${c0.toString(16)}... is the published answer`, () => {
    const out = new Uint32Array(4);
    philox(out, c0, c1, c2, c3, k0, k1);
    assert.deepEqual([...out], want);
  });
}

test("a stream's words are the blocks of its counter", () => {
  const rng = new Rng(0xdeadbeef, STREAM.sample);
  const got = Array.from({ length: 8 }, () => rng.uint32());
  const [first, second] = [new Uint32Array(4), new Uint32Array(4)];
  philox(first, 0, 0, 0, STREAM.sample, 0xdeadbeef, 0);
  philox(second, 1, 0, 0, STREAM.sample, 0xdeadbeef, 0);
  assert.deepEqual(got, [...first, ...second]);
});

test("below is the high word of the 64-bit product", () => {
  const [words, bounded] = [new Rng(5, STREAM.shuffle), new Rng(5, STREAM.shuffle)];
  for (const bound of [1, 2, 27, 32_257, 0xffff_ffff]) {
    for (let i = 0; i < 100; i++) {
      assert.equal(bounded.below(bound), Number((BigInt(words.uint32()) * BigInt(bound)) >> 32n));
    }
  }
});

test("normal draws have the moments of a standard normal", () => {
  const rng = new Rng(1, STREAM.init);
  const n = 100_000;
  const draws = Array.from({ length: n }, () => rng.normal());
  const moment = (power: number) => draws.reduce((sum, x) => sum + x ** power, 0) / n;
  // Five standard errors: sqrt(1, 2, 15, 96) / sqrt(n).
  for (const [power, want, spread] of [
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96],
  ] as const) {
    assert.ok(Math.abs(moment(power) - want) < 5 * Math.sqrt(spread / n), `moment ${power}: ${moment(power)}`);
  }
});

test("a minibatch depends on seed and step alone, 64 bits of step included", () => {
  const draw = (count: number, seed: number, step: number) => {
    const out = new Uint32Array(count);
    drawBatch(out, count, 1000, seed, step);
    return [...out];
  };
  assert.deepEqual(draw(32, 7, 5), draw(32, 7, 5));
  assert.deepEqual(draw(5, 7, 5), draw(32, 7, 5).slice(0, 5));
  assert.notDeepEqual(draw(32, 7, 5), draw(32, 7, 6));
  assert.notDeepEqual(draw(32, 7, 5), draw(32, 8, 5));
  assert.notDeepEqual(draw(32, 7, 5), draw(32, 7, 5 + 2 ** 32));
  const block = new Uint32Array(4);
  philox(block, 1, 5, 1, STREAM.batch, 7, 0);
  assert.equal(draw(8, 7, 5 + 2 ** 32)[6], Number((BigInt(block[2]!) * 1000n) >> 32n));
});

test("minibatch indices are even over the examples", () => {
  const counts = new Float64Array(10);
  const out = new Uint32Array(32);
  const steps = 3125;
  for (let step = 0; step < steps; step++) {
    drawBatch(out, 32, 10, 3, step);
    for (const index of out) counts[index]!++;
  }
  const expected = (steps * 32) / 10;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assert.ok(chiSquare < 33.7, `chi-square ${chiSquare} on 9 degrees of freedom`); // p = 1e-4
});
