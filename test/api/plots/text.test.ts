import assert from "node:assert/strict";
import { test } from "node:test";
import type { Line, Plot } from "../../../src/api/plots/plot.js";
import { textOf } from "../../../src/api/plots/text.js";

const steps = Array.from({ length: 60 }, (_, i) => i);
const constant = (name: string | null, color: number, y: number, style: Line["style"] = "strong"): Line => ({
  ...{ name, color, style },
  points: steps.map((step) => [step, y]),
});
const plotOf = (lines: readonly Line[]): Plot => ({
  ...{ title: "Title", subtitle: "", lines, marks: [] },
  x: { label: "step", scale: "linear", low: 0, high: 60 },
  y: { label: "lr", scale: "linear", low: 0, high: 1 },
});
const ESCAPE = "\u001b";
const CODE = new RegExp(`${ESCAPE}\\[[1-9]\\d*m`, "g");
const draw = (lines: readonly Line[], color = false) =>
  textOf(plotOf(lines), { columns: 60, rows: 30, color }).split("\n");
/** The chart's row with that label. */
const rowAt = (rows: readonly string[], label: string) => rows.find((row) => row.trimStart().startsWith(`${label}┤`))!;

// The points take a place among the lines, and no colour of them.
const THREE = [
  constant("low", 0, 0.2),
  constant(null, 0, 0.4, "points"),
  constant("middle", 1, 0.6),
  constant("high", 2, 0.8),
];

test("several lines without colours: a letter each, the same in the key; points in capitals; no escape code", () => {
  const rows = draw(THREE);
  assert.ok(!rows.join("").includes(ESCAPE));
  for (const [label, letter] of [
    ["0.2", "a"],
    ["0.4", "A"],
    ["0.6", "b"],
    ["0.8", "c"],
  ] as const) {
    assert.match(rowAt(rows, label), new RegExp(`┤${letter}{20,}`), label);
  }
  for (const entry of [" a low", " b middle", " c high"])
    assert.ok(
      rows.some((row) => row.endsWith(entry)),
      entry,
    );
});

test("several lines in colours: each in the colour that the key gives it", () => {
  const rows = draw(THREE, true);
  for (const [name, label] of [
    ["low", "0.2"],
    ["middle", "0.6"],
    ["high", "0.8"],
  ] as const) {
    const key = rows.find((row) => row.endsWith(` ${name}`))!;
    const [code] = key.match(CODE)!;
    assert.equal(rowAt(rows, label).split(code).length - 1, rowAt(rows, label).match(/━/g)!.length, name);
  }
});

test("lines in one place take turns: none vanishes; twelve lines have twelve letters and colours", () => {
  const [row] = [rowAt(draw([constant("a", 0, 0.4), constant("b", 1, 0.4)]), "0.4")];
  assert.match(row!, /a/);
  assert.match(row!, /b/);
  const many = Array.from({ length: 12 }, (_, i) => constant(`line ${i}`, i, i / 12));
  assert.equal(
    new Set(
      draw(many)
        .join("")
        .match(/\b[a-z](?= line)/g),
    ).size,
    12,
  );
  assert.equal(new Set(draw(many, true).join("").match(CODE)).size, 12);
});

test("one line has no need of colours; an axis has ticks enough to read, however few the rows", () => {
  const rows = draw([constant("only", 0, 0.4)], true);
  assert.ok(!rows.join("").includes(ESCAPE));
  for (const high of [1, 7.3, 0.0031, 2e5]) {
    const plot = {
      ...plotOf([constant("only", 0, high / 2)]),
      y: { label: "lr", scale: "linear", low: 0, high } as const,
    };
    const text = textOf(plot, { columns: 80, rows: 16 });
    assert.ok(text.match(/┤/g)!.length >= 3, text);
    assert.ok(text.match(/[┬]/g)!.length >= 4, text);
  }
});
