import assert from "node:assert/strict";
import { test } from "node:test";
import { type Axis, envelope, indexAt, planMarks, sampled, visible, xOf } from "../../src/web/charts/plan.js";
import { RunColumns } from "../../src/web/data/run-columns.js";

/** A sweep from 0.001 to 1 with one spike. */
function sweep(steps: number, spike: number): RunColumns {
  const columns = new RunColumns();
  const lr = Array.from({ length: steps }, (_, i) => 10 ** (-3 + (3 * i) / (steps - 1)));
  columns.push(
    lr,
    lr.map((_, i) => (i === spike ? 50 : 2 + Math.sin(i) / 2)),
  );
  return columns;
}

for (const axis of ["step", "lr", "exponent"] satisfies Axis[]) {
  test(`${axis}: every step falls into one pixel column, so no spike is lost`, () => {
    const columns = sweep(20_000, 12_345);
    const plan = planMarks([columns], axis, visible([columns], axis, null)!, 300);
    assert.ok(!plan.exact && plan.x.length === 600);
    const values = envelope(columns, "loss", axis, plan);
    const top = values.indexOf(50);
    assert.ok(top >= 0, "the spike is drawn");
    const pixel = Math.floor(top / 2);
    assert.ok(Math.abs(pixel - (12_345 / 19_999) * 300) <= 1, `in its own column, not ${pixel}`);
    const { min } = columns.loss.extent(0, 20_000);
    assert.equal(Math.min(...(values as number[])), min);
  });

  test(`${axis}: zoomed in, exact values at exact places`, () => {
    const columns = sweep(20_000, 12_345);
    const view = [xOf(columns, axis, 12_300), xOf(columns, axis, 12_400)] as const;
    const plan = planMarks([columns], axis, view, 300);
    assert.ok(plan.exact);
    const values = envelope(columns, "loss", axis, plan);
    const smooth = sampled(columns, { kind: "ema", decay: 0.9 }, axis, plan);
    assert.equal(values.filter((value) => value === null).length, 0);
    assert.equal(smooth.filter((value) => value === null).length, 0);
    assert.equal(plan.x[values.indexOf(50)], xOf(columns, axis, 12_345));
  });

  test(`${axis}: a place is the first step at or after it`, () => {
    const columns = sweep(1000, 0);
    for (const step of [0, 1, 500, 999]) {
      const x = xOf(columns, axis, step);
      // 10 ** log10(lr) may be a rounding above lr.
      assert.ok([step, step + (axis === "exponent" ? 1 : 0)].includes(indexAt(columns, axis, x)), `step ${step}`);
    }
  });
}

test("runs of different length share one set of marks", () => {
  const runs = [sweep(50, 3), sweep(80, 3)];
  const plan = planMarks(runs, "step", visible(runs, "step", null)!, 300);
  assert.deepEqual(
    [...plan.x],
    Array.from({ length: 80 }, (_, i) => i),
  );
  assert.equal(envelope(runs[0]!, "loss", "step", plan).filter((value) => value !== null).length, 50);
});
