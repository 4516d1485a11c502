import { stripVTControlCharacters } from "node:util";
import plot from "simple-ascii-chart";
import { cut, keyOf } from "./key.js";
import { type DrawnAxis, drawnAxis, type Line, type Plot } from "./plot.js";

/** The library's names of ANSI colours, and their codes. */
const CODES = {
  ansiBlack: 30,
  ansiBlue: 34,
  ansiRed: 31,
  ansiGreen: 32,
  ansiMagenta: 35,
  ansiCyan: 36,
  ansiYellow: 33,
};
/** Those that stand out from black and white alike, in the order of the lines. */
const COLORS = ["ansiBlue", "ansiRed", "ansiGreen", "ansiMagenta", "ansiCyan", "ansiYellow"] as const;
const codeOf = (color: keyof typeof CODES) => `\x1b[${CODES[color]}m`;
const RESET = "\x1b[0m";

/** A plot in at most `columns` characters a line and about `rows` lines; with more than one line they are coloured. */
export function textOf(described: Plot, columns: number, rows: number): string {
  const shown = linesToShow(described);
  const key = keyOf({ ...described, lines: shown.length > 1 ? shown : [] });
  const keyRows = key.map((entry) => {
    const sign = entry.type === "mark" ? "┃" : entry.line.style === "points" ? "●" : "━━";
    const text = cut(entry.text, columns - 4);
    if (entry.type === "mark") return `  ${sign} ${text}`;
    const color = COLORS[shown.indexOf(entry.line) % COLORS.length]!;
    return `  ${codeOf(color)}${sign}${RESET} ${text}`;
  });
  // Title, subtitle, the y axis's name, an arrow, two rows of x axis and its name stand around the chart.
  const height = Math.max(5, rows - keyRows.length - 7);
  const y = drawnAxis(described.y, Math.max(2, height / 3));
  const labels = Math.max(...y.ticks.map(({ text }) => text.length), 0);
  const width = Math.max(10, columns - labels - 2);
  const x = drawnAxis(described.x, Math.max(2, width / 16));
  const chart = chartOf(described, shown, { x, y, labels, width, height });
  const name = described.x.label;
  return [
    cut(described.title, columns),
    ...(described.subtitle === "" ? [] : [cut(described.subtitle, columns)]),
    cut(described.y.label, columns),
    ...chart
      .split("\n")
      .map((line) => line.trimEnd())
      .filter((line) => line !== ""),
    name.padStart(Math.floor((columns + labels + name.length) / 2)),
    ...keyRows,
    "",
  ].join("\n");
}

/** A terminal has no room for each step beside their average. */
function linesToShow({ lines }: Plot): Line[] {
  const clear = lines.filter(({ style }) => style !== "faint");
  return clear.length > 0 ? clear : [...lines];
}

interface Canvas {
  readonly x: DrawnAxis;
  readonly y: DrawnAxis;
  /** Characters of the y axis's widest label. */
  readonly labels: number;
  readonly width: number;
  readonly height: number;
}

function chartOf({ marks }: Plot, shown: readonly Line[], { x, y, labels, width, height }: Canvas): string {
  const curves = shown.filter(({ style }) => style !== "points").map((line) => inCells(line, x, y, width));
  const points = shown.flatMap((line, i) =>
    line.style === "points"
      ? inCells(line, x, y, width).map(([px, py]) => ({ x: px, y: py, color: COLORS[i % COLORS.length]! }))
      : [],
  );
  // The library makes its x axis as long as the data: this line makes it ours, and is rubbed out afterwards.
  const ruler: [number, number][] = [
    [x.low, y.high],
    [x.high, y.high],
  ];
  const texts = {
    x: new Map(x.ticks.map(({ at, text }) => [at, text])),
    y: new Map(y.ticks.map(({ at, text }) => [at, text])),
  };
  const drawable = curves.flatMap((curve, i) =>
    curve.length > 0 ? [{ curve, color: COLORS[i % COLORS.length]! }] : [],
  );
  const colored = shown.length > 1;
  const chart = plot([ruler, ...drawable.map(({ curve }) => curve)], {
    width,
    height,
    yRange: [y.low, y.high],
    customXAxisTicks: x.ticks.map(({ at }) => at),
    customYAxisTicks: y.ticks.map(({ at }) => at),
    // Asked about values that are no ticks too, to find how wide the labels are.
    formatter: (value, { axis }) => (texts[axis].get(value) ?? "").padStart(axis === "y" ? labels : 0),
    // Nothing but the ruler is black.
    color: ["ansiBlack", ...drawable.map(({ color }) => color)],
    thresholds: marks.map((mark) => ({ x: x.at(mark.x) })),
    points,
  });
  const rubbedOut = chart
    .split(codeOf("ansiBlack"))
    .map((part, i) => (i === 0 ? part : ` ${part.slice(1 + RESET.length)}`))
    .join("");
  return colored ? rubbedOut : stripVTControlCharacters(rubbedOut);
}

/** Consecutive points in one column of characters as their mean; beyond the frame, on its edge. */
function inCells({ points }: Line, x: DrawnAxis, y: DrawnAxis, width: number): [number, number][] {
  const cells: { column: number; x: number; y: number; count: number }[] = [];
  for (const [px, py] of points) {
    const at = { x: x.at(px), y: y.at(py) };
    if (!Number.isFinite(at.x) || Number.isNaN(at.y)) continue;
    const column = Math.round(((at.x - x.low) / (x.high - x.low)) * (width - 1));
    let cell = cells.at(-1);
    if (cell?.column !== column) {
      cell = { column, x: 0, y: 0, count: 0 };
      cells.push(cell);
    }
    cell.x += at.x;
    cell.y += Math.min(y.high, Math.max(y.low, at.y));
    cell.count++;
  }
  return cells.map((cell) => [cell.x / cell.count, cell.y / cell.count]);
}
