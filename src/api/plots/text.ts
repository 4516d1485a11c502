import { stripVTControlCharacters } from "node:util";
import plot from "simple-ascii-chart";
import { cut, type KeyEntry, keyOf } from "./key.js";
import { type DrawnAxis, drawnAxis, type Line, type Plot } from "./plot.js";
import { type Cell, cellsOf, merge, textOfCells } from "./text-cells.js";

/** ANSI codes of the lines' colours, then of their bright ones; all stand out from black and white alike. */
const CODES = [34, 31, 32, 35, 36, 33, 94, 91, 92, 95, 96, 93];
const RESET = "\x1b[0m";
const colored = (text: string, { color }: Line) => `\x1b[${CODES[color % CODES.length]}m${text}${RESET}`;
const letterOf = ({ color }: Line) => String.fromCharCode(97 + (color % 26));

export interface TextOptions {
  readonly columns: number;
  readonly rows: number;
  /** By escape codes; without them several lines are drawn in letters. */
  readonly color?: boolean;
}

/** A plot in at most `columns` characters a line and about `rows` lines. */
export function textOf(described: Plot, { columns, rows, color = false }: TextOptions): string {
  const shown = described.lines;
  const several = new Set(shown.map((line) => line.color)).size > 1;
  const inLetters = several && !color && shown.filter(({ style }) => style !== "points").length > 1;
  const paint = (glyph: string, line: Line) => {
    if (color && several) return colored(glyph, line);
    if (!inLetters) return glyph;
    return line.style === "points" ? letterOf(line).toUpperCase() : letterOf(line);
  };
  const keyRows = keyText(keyOf({ ...described, lines: shown.length > 1 ? shown : [] }), columns, (line) => {
    if (line.style === "points") return ` ${paint("●", line)}`;
    return inLetters ? ` ${letterOf(line)}` : paint("━━", line);
  });
  // Title, subtitle, the y axis's name, an arrow, two rows of x axis and its name stand around the chart.
  const height = Math.max(5, rows - keyRows.length - 7);
  const y = drawnAxis(described.y, Math.max(4, height / 3));
  const labels = Math.max(...y.ticks.map(({ text }) => text.length), 0);
  const width = Math.max(10, columns - labels - 2);
  const x = drawnAxis(described.x, Math.max(4, width / 12));
  const name = described.x.label;
  return [
    cut(described.title, columns),
    ...(described.subtitle === "" ? [] : [cut(described.subtitle, columns)]),
    cut(described.y.label, columns),
    ...chartOf(described, shown, { x, y, labels, width, height }, paint),
    name.padStart(Math.floor((columns + labels + name.length) / 2)),
    ...keyRows,
    "",
  ].join("\n");
}

/** A row an entry; of more than four in two columns, where there is room. */
function keyText(key: readonly KeyEntry[], columns: number, sign: (line: Line) => string): string[] {
  const perRow = key.length > 4 && columns >= 60 ? 2 : 1;
  const room = Math.floor(columns / perRow);
  const rows: string[] = [];
  for (let i = 0; i < key.length; i += perRow) {
    const parts = key.slice(i, i + perRow).map((entry) => {
      const text = cut(entry.text, room - 5);
      return { sign: entry.type === "mark" ? "┃" : sign(entry.line), text };
    });
    const row = parts.map(({ sign, text }) => {
      const drawn = `  ${sign} ${text}`;
      return drawn + " ".repeat(Math.max(0, room - stripVTControlCharacters(drawn).length));
    });
    rows.push(row.join("").trimEnd());
  }
  return rows;
}

interface Canvas {
  readonly x: DrawnAxis;
  readonly y: DrawnAxis;
  /** Characters of the y axis's widest label. */
  readonly labels: number;
  readonly width: number;
  readonly height: number;
}

/** The rows of the chart: the frame with its marks, and every line drawn by itself and laid upon it, so that none hides another. */
function chartOf(
  { marks }: Plot,
  shown: readonly Line[],
  { x, y, labels, width, height }: Canvas,
  paint: (glyph: string, line: Line) => string,
): string[] {
  // The library makes its x axis as long as the data: this line makes it ours, and is left out again by its colour.
  const ruler: [number, number][] = [
    [x.low, y.high],
    [x.high, y.high],
  ];
  const texts = {
    x: new Map(x.ticks.map(({ at, text }) => [at, text])),
    y: new Map(y.ticks.map(({ at, text }) => [at, text])),
  };
  const draw = (
    curve: [number, number][] | null,
    own: Pick<NonNullable<Parameters<typeof plot>[1]>, "thresholds" | "points">,
  ) =>
    cellsOf(
      plot(curve === null ? [ruler] : [ruler, curve], {
        width,
        height,
        yRange: [y.low, y.high],
        customXAxisTicks: x.ticks.map(({ at }) => at),
        customYAxisTicks: y.ticks.map(({ at }) => at),
        // Asked about values that are no ticks too, to find how wide the labels are.
        formatter: (value, { axis }) => (texts[axis].get(value) ?? "").padStart(axis === "y" ? labels : 0),
        color: curve === null ? ["ansiBlack"] : ["ansiBlack", "ansiRed"],
        ...own,
      }),
    );
  const frame = draw(null, { thresholds: marks.map((mark) => ({ x: x.at(mark.x) })) });
  const drawn = shown.map((line): Cell[][] => {
    const curve = inCells(line, x, y, width);
    if (curve.length === 0) return [];
    if (line.style !== "points") return draw(curve, {});
    return draw(null, { points: curve.map(([px, py]) => ({ x: px, y: py, color: "ansiRed" as const })) });
  });
  return textOfCells(merge(frame, drawn), (glyph, index) => paint(glyph, shown[index]!)).filter((row) => row !== "");
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
