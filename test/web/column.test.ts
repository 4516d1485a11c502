import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Column } from "../../src/web/data/column.js";

/** The obvious twin. */
function extentOf(values: readonly number[], from: number, to: number): { min: number; max: number } {
  const finite = values.slice(Math.max(0, from), Math.max(0, to)).filter(Number.isFinite);
  return { min: Math.min(...finite), max: Math.max(...finite) };
}

const value = fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constant(Number.NaN));

test("extents of any range equal a plain scan, however the column was pushed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(value, { maxLength: 900 }), { maxLength: 6 }),
      fc.array(fc.tuple(fc.nat(5000), fc.nat(5000)), { minLength: 20, maxLength: 20 }),
      (chunks, ranges) => {
        const column = new Column(64);
        for (const chunk of chunks) column.push(chunk);
        const all = chunks.flat();
        assert.deepEqual([...column.values()], all);
        for (const [a, b] of ranges) {
          const [from, to] = [Math.min(a, b), Math.max(a, b)];
          assert.deepEqual(column.extent(from, to), extentOf(all, from, to), `${from} to ${to}`);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("one spike in a hundred thousand steps is in the extent of whatever holds it, and null is no value", () => {
  const column = new Column(32);
  const values: (number | null)[] = new Array(100_000).fill(2);
  values[77_777] = 9;
  values[5] = null;
  for (let i = 0; i < values.length; i += 97) column.push(values.slice(i, i + 97));
  assert.deepEqual(column.extent(0, 100_000), { min: 2, max: 9 });
  assert.deepEqual(column.extent(77_777, 77_778), { min: 9, max: 9 });
  assert.deepEqual(column.extent(0, 77_777), { min: 2, max: 2 });
  assert.ok(Number.isNaN(column.at(5)));
  assert.ok(Number.isNaN(column.at(100_000)));
});
