import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pow } from "../../src/core/pow.js";

/** Written by test/golden/pow.py: [x, y, x ** y rounded once from 400 bits], each as its 16 hexadecimal digits. */
const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/pow.json", import.meta.url), "utf8"),
) as readonly (readonly [string, string, string])[];

const bits = new DataView(new ArrayBuffer(8));
function fromHex(hex: string): number {
  bits.setBigUint64(0, BigInt(`0x${hex}`));
  return bits.getFloat64(0);
}

test("powers are those of mpmath, to the last bit", () => {
  assert.ok(golden.length > 500);
  for (const [x, y, want] of golden) {
    const [base, exponent] = [fromHex(x), fromHex(y)];
    assert.equal(pow(base, exponent), fromHex(want), `${base} ** ${exponent}`);
  }
});

test("what is no number, beyond the range, or of a negative base is as in JavaScript", () => {
  const values = [0, -0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 1e300, -1e300, 1e-300, 5e-324, Number.NaN];
  const ends = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const x of [...values, ...ends]) {
    for (const y of [...values, ...ends]) {
      const [got, want] = [pow(x, y), x ** y];
      assert.ok(
        Object.is(got, want) || Math.abs(got - want) <= 1e-15 * Math.abs(want),
        `${x} ** ${y}: ${got}, not ${want}`,
      );
    }
  }
});
