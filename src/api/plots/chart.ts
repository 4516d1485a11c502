import { createHash } from "node:crypto";
import { LINES_ON_LIGHT } from "../../core/palette.js";
import {
  GraphicComponent,
  GridComponent,
  init,
  LineChart,
  MarkLineComponent,
  ScatterChart,
  SVGRenderer,
  TitleComponent,
  use,
} from "./echarts.mjs";
import { cut, type KeyEntry, keyOf } from "./key.js";
import { type DrawnAxis, drawnAxis, type Line, type Plot, short } from "./plot.js";

use([LineChart, ScatterChart, GridComponent, TitleComponent, MarkLineComponent, GraphicComponent, SVGRenderer]);

const GROUND = "#ffffff";
const INK = "#3a3f47";
const GRID = "#e2e5ea";
const FONT = "DejaVu Sans, Verdana, sans-serif";
const DIVERGED = "#b00020";
const MARGIN = 20;
/** Of the labels' font: width of a character about, and the height of a line. */
const CHARACTER = 7.4;
const TITLE_CHARACTER = 10.5;
const ROW = 18;
const KEY_COLUMN = 290;
/** Width of a label of marks, at most about. */
const MARK_LABEL = 30;

/** A plot as an SVG document of width x height pixels. */
export function svgOf(plot: Plot, width: number, height: number): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption(optionOf(plot, width, height));
    return withOwnNames(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/** ECharts numbers names from the process's start on. These are by order, and say what is in it: same picture, same bytes. */
function withOwnNames(svg: string): string {
  const names = new Map<string, number>();
  const numbered = svg.replaceAll(/(?<=class="|id="|#|\.)zr\d+-[a-z]+-?\d+\b/g, (name) => {
    if (!names.has(name)) names.set(name, names.size);
    return `plot-${names.get(name)}`;
  });
  const digest = createHash("sha1").update(numbered).digest("hex").slice(0, 8);
  return numbered.replaceAll(/\bplot-(?=\d+\b)/g, `plot-${digest}-`);
}

function optionOf(plot: Plot, width: number, height: number) {
  const key = keyOf(plot);
  const numbered = key.some((entry) => entry.type === "mark" && entry.number !== null);
  const top = 62 + (numbered ? ROW : 0);
  const columns = Math.max(1, Math.floor((width - 2 * MARGIN) / KEY_COLUMN));
  const room = Math.max(1, Math.floor((height - top - 150) / ROW));
  const rows = Math.min(room, Math.ceil(key.length / columns));
  const keyTop = height - rows * ROW - 10;
  const bottom = height - keyTop + 50;
  const y = drawnAxis(plot.y, Math.max(3, (height - top - bottom) / 50));
  const left = MARGIN + 22 + Math.max(...y.ticks.map(({ text }) => text.length), 1) * CHARACTER;
  // The last label stands half outside; how long it is follows from the end of the axis.
  const right = MARGIN + 10 + (short(plot.x.high).length > 7 ? CHARACTER * 2 : 0);
  const plotWidth = width - left - right;
  const x = drawnAxis(plot.x, Math.max(2, plotWidth / 110));
  const placed = key.slice(0, rows * columns);
  return {
    animation: false,
    backgroundColor: GROUND,
    textStyle: { fontFamily: FONT, color: INK },
    title: {
      text: cut(plot.title, (width - 2 * MARGIN) / TITLE_CHARACTER),
      subtext: cut(plot.subtitle, (width - 2 * MARGIN) / CHARACTER),
      left: MARGIN - 5,
      top: 6,
      itemGap: 6,
      textStyle: { fontSize: 16, color: INK, width: width - 2 * MARGIN, overflow: "truncate" },
      subtextStyle: { fontSize: 12, color: INK, width: width - 2 * MARGIN, overflow: "truncate" },
    },
    grid: { left, right, top, bottom },
    xAxis: { ...axisOption(x), name: plot.x.label, nameGap: 28 },
    yAxis: { ...axisOption(y), name: plot.y.label, nameGap: left - MARGIN + 2 },
    series: [
      ...plot.lines.map((line) => seriesOption(line, x, y, plotWidth)),
      { type: "line", data: [], silent: true, markLine: markOption(key, x, plotWidth) },
    ],
    graphic: placed.flatMap((entry, i) => {
      const at = { x: MARGIN + (i % columns) * KEY_COLUMN, y: keyTop + Math.floor(i / columns) * ROW };
      const isLast = i === placed.length - 1 && placed.length < key.length;
      return keyGraphic(entry, at, isLast ? `and ${key.length - i} more` : null, width);
    }),
  };
}

function axisOption({ low, high, ticks }: DrawnAxis) {
  const customValues = ticks.map(({ at }) => at);
  const texts = new Map(ticks.map(({ at, text }) => [at, text]));
  return {
    type: "value",
    min: low,
    max: high,
    nameLocation: "middle",
    nameTextStyle: { fontSize: 13, color: INK },
    axisLine: { show: true, onZero: false, lineStyle: { color: INK } },
    axisTick: { show: true, customValues, lineStyle: { color: INK } },
    axisLabel: {
      customValues,
      color: INK,
      fontSize: 12,
      showMinLabel: true,
      showMaxLabel: true,
      formatter: (value: number) => texts.get(value) ?? "",
    },
    splitLine: { show: true, lineStyle: { color: GRID } },
  };
}

function colorOf({ color }: Line): string {
  return LINES_ON_LIGHT[color % LINES_ON_LIGHT.length]!;
}

const isDashed = ({ color }: Line) => color >= LINES_ON_LIGHT.length;

function seriesOption(line: Line, x: DrawnAxis, y: DrawnAxis, plotWidth: number) {
  const data = line.points.map(([px, py]) => {
    const at = [x.at(px), y.at(py)];
    return at.every(Number.isFinite) ? at : ["-", "-"];
  });
  const color = colorOf(line);
  if (line.style === "points") {
    return {
      type: "scatter",
      data,
      symbolSize: 6,
      itemStyle: { color: GROUND, borderColor: color, borderWidth: 1.5 },
      z: 4,
    };
  }
  const strong = line.style === "strong";
  return {
    type: "line",
    data,
    showSymbol: line.points.length === 1,
    symbolSize: 5,
    z: strong ? 3 : 2,
    itemStyle: { color },
    lineStyle: {
      color,
      width: strong ? 2 : 1,
      // Many strokes side by side are darker than one.
      opacity: strong ? 1 : line.points.length > plotWidth ? 0.15 : 0.4,
      join: "round",
      type: isDashed(line) ? "dashed" : "solid",
    },
  };
}

/** The marks' lines; neighbours share a label, as "4–7". */
function markOption(key: readonly KeyEntry[], x: DrawnAxis, plotWidth: number) {
  const groups: { first: number; last: number; pixel: number }[] = [];
  const data = key.flatMap((entry) => {
    if (entry.type !== "mark") return [];
    const { mark, number } = entry;
    const at = x.at(mark.x);
    if (number === null)
      return [{ xAxis: at, lineStyle: { color: DIVERGED, type: "solid", width: 2 }, label: { show: false } }];
    const pixel = ((at - x.low) / (x.high - x.low)) * plotWidth;
    let group = groups.at(-1);
    const begins = group === undefined || pixel - group.pixel > MARK_LABEL;
    if (begins) {
      group = { first: number, last: number, pixel };
      groups.push(group);
    }
    const shared = group!;
    shared.last = number;
    const formatter = () => (shared.first === shared.last ? String(shared.first) : `${shared.first}–${shared.last}`);
    const label = { show: begins, formatter, color: INK, fontSize: 11 };
    return [{ xAxis: at, lineStyle: { color: INK, type: "dashed", width: 1 }, label }];
  });
  return { symbol: "none", silent: true, animation: false, data };
}

function keyGraphic(entry: KeyEntry, at: { x: number; y: number }, more: string | null, width: number): object[] {
  const room = Math.floor((Math.min(KEY_COLUMN, width - at.x) - 40) / CHARACTER);
  const style = { text: cut(more ?? entry.text, room), fill: INK, fontSize: 12, fontFamily: FONT };
  const text = { type: "text", x: at.x + 26, y: at.y, style };
  if (more !== null) return [text];
  const middle = at.y + 6;
  if (entry.type === "line" && entry.line.style === "points") {
    const shape = { cx: at.x + 10, cy: middle, r: 3 };
    return [{ type: "circle", shape, style: { fill: GROUND, stroke: colorOf(entry.line), lineWidth: 1.5 } }, text];
  }
  const style2 =
    entry.type === "mark"
      ? entry.mark.kind === "divergence"
        ? { stroke: DIVERGED, lineWidth: 2 }
        : { stroke: INK, lineWidth: 1, lineDash: [4, 3] }
      : {
          stroke: colorOf(entry.line),
          lineWidth: entry.line.style === "strong" ? 2 : 1,
          opacity: entry.line.style === "strong" ? 1 : 0.5,
          ...(isDashed(entry.line) && { lineDash: [4, 3] }),
        };
  const shape = { x1: at.x, y1: middle, x2: at.x + 20, y2: middle };
  return [{ type: "line", shape, style: style2 }, text];
}
