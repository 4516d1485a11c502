import assert from "node:assert/strict";
import { test } from "node:test";
import { colorOf, colorScale, partOf, rampColor } from "../../src/web/charts/color-scale.js";
import { seriesColor, seriesDash } from "../../src/web/charts/colors.js";
import { isolated, toggled } from "../../src/web/charts/legend-state.js";
import { Link, type Linked } from "../../src/web/charts/link.js";
import { parallelAxis, withinBrushes } from "../../src/web/charts/parallel-axes.js";

test("a hundred series have a hundred colours, and neighbours other dashes", () => {
  for (const dark of [false, true]) {
    const colors = Array.from({ length: 100 }, (_, place) => seriesColor(place, dark));
    assert.equal(new Set(colors).size, 100);
  }
  for (let place = 0; place < 100; place++) assert.notDeepEqual(seriesDash(place), seriesDash(place + 1));
});

test("a legend hides, shows, isolates, and shows all again", () => {
  const all = ["a", "b", "c"];
  const none = new Set<string>();
  const hidden = toggled(none, "a");
  assert.deepEqual([...hidden], ["a"]);
  assert.deepEqual([...toggled(hidden, "a")], []);
  const alone = isolated(hidden, "a", all);
  assert.deepEqual([...alone], ["b", "c"]);
  assert.deepEqual([...isolated(alone, "a", all)], []);
  assert.deepEqual([...isolated(alone, "b", all)], ["a", "c"]);
});

test("numbers over more than a decade have a log scale; few values and words are choices", () => {
  const scale = colorScale([0.001, 0.01, 0.1, 1]);
  assert.ok(scale.kind === "number" && scale.log);
  assert.ok(Math.abs(partOf(scale, 0.1) - 2 / 3) < 1e-12);
  const even = colorScale([1, 2, 5]);
  assert.ok(even.kind === "number" && !even.log);
  assert.equal(colorScale(["a", "b", "a"]).kind, "choice");
  const some = colorScale([0.001, null, 0.1, 1]);
  assert.equal(some.kind, "number", "a run without a number does not make the others a list of choices");
  assert.notEqual(colorOf(some, null, false), colorOf(some, 0.001, false));
  assert.equal(colorScale([1, 2, 1, 2]).kind, "choice");
  assert.equal(rampColor(0, false), "rgb(68 1 84)");
  assert.equal(rampColor(1, true), "rgb(253 231 37)");
});

test("linked charts show one stretch and follow the cursor of the one that is pointed at", () => {
  const link = new Link();
  const told: (number | null)[][] = [[], [], []];
  let updates = 0;
  const charts = told.map((own): Linked => ({ update: () => updates++, showCursor: (x) => own.push(x) }));
  for (const chart of charts) link.join(chart);
  link.show([2, 3]);
  assert.deepEqual([link.view, updates], [[2, 3], 3]);
  link.point(charts[0]!, 7);
  link.leave(charts[2]!);
  link.point(charts[1]!, null);
  assert.deepEqual(told, [[null], [7], [7]]);
});

test("parallel axes: logarithmic over decades, outliers at the top, choices apart; brushes choose what crosses all", () => {
  const text = String;
  const lr = parallelAxis({ name: "lr", values: [0.001, 0.1, 10], numeric: true }, text);
  assert.ok(Math.abs(lr.places[1]! - 0.5) < 1e-12);
  const loss = parallelAxis({ name: "loss", values: [2, 3, 1000, null], numeric: true }, text, 4);
  assert.deepEqual(loss.places, [0, 0.5, 1, null]);
  assert.equal(loss.ticks.at(-1)!.label, "≥ 4");
  const schedule = parallelAxis({ name: "schedule", values: ["a", "b", "c", "a"], numeric: false }, text);
  assert.deepEqual(schedule.places, [0, 0.5, 1, 0]);
  const axes = [loss, schedule];
  assert.equal(withinBrushes(axes, new Map()), null);
  const low = new Map<string, readonly [number, number]>([["loss", [0, 0.6]]]);
  assert.deepEqual([...withinBrushes(axes, low)!], [0, 1]);
  assert.deepEqual([...withinBrushes(axes, low.set("schedule", [0.4, 1]))!], [1]);
});
