import uPlot from "uplot";
import { logTicks } from "../../core/ticks.js";
import { number, whole } from "../format.js";
import type { Band, Drawing, Line } from "./drawing.js";
import { listen, ZOOM } from "./gestures.js";
import { drawOver } from "./overlay.js";
import { type Palette, palette } from "./palette.js";
import type { Values, View } from "./plan.js";

export interface ChartOptions {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly bands?: readonly Band[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xLog: boolean;
  readonly yLog: boolean;
  readonly height: number;
  /** Lets spikes run out of the picture when they would flatten the rest; not on a log axis. */
  readonly clipSpikes?: boolean;
  /** Lets what is higher run out of the picture; not on a log axis. */
  readonly highest?: () => number;
  /** What to draw for a view, `width` pixels wide; null: nothing yet. Called once a frame at most. */
  readonly frame: (view: View, width: number) => Drawing | null;
  /** x under the cursor; null: none. */
  readonly onCursor: (x: number | null) => void;
}

const EMPTY_FRAME = { range: [0, 1], x: new Float64Array(0), values: [] } as const;

/** A uPlot whose data are made anew for what is visible, at most once a frame, however fast the run. */
export class Chart {
  readonly #host: HTMLElement;
  readonly #options: ChartOptions;
  readonly #colors: Palette = palette();
  readonly #plot: uPlot;
  readonly #resize: ResizeObserver;
  #frame: Drawing | null = null;
  #view: View;
  #scheduled = 0;

  constructor(host: HTMLElement, options: ChartOptions, view: View = null) {
    this.#host = host;
    this.#options = options;
    this.#view = view;
    this.#plot = new uPlot(this.#plotOptions(), [[], ...options.lines.map(() => [])] as never, host);
    this.#resize = new ResizeObserver(() => {
      this.#plot.setSize({ width: this.#width(), height: options.height });
      this.update();
    });
    this.#resize.observe(host);
    listen(this.#plot, this);
    this.update();
  }

  get view(): View {
    return this.#view;
  }

  destroy(): void {
    cancelAnimationFrame(this.#scheduled);
    this.#resize.disconnect();
    this.#plot.destroy();
  }

  /** The data have changed. */
  update(): void {
    if (this.#scheduled !== 0) return;
    this.#scheduled = requestAnimationFrame(() => {
      this.#scheduled = 0;
      this.#draw();
    });
  }

  /** Zooms about a part of the width (0 left, 1 right); factor above 1 shows more detail. */
  zoom(factor = ZOOM, at = 0.5): void {
    this.#change(([low, high]) => {
      const fixed = low + (high - low) * at;
      return [fixed - (fixed - low) / factor, fixed + (high - fixed) / factor];
    });
  }

  /** Moves the view by a part of its width. */
  pan(part: number): void {
    this.#change(([low, high]) => [low + (high - low) * part, high + (high - low) * part]);
  }

  reset(): void {
    this.#view = null;
    this.update();
  }

  select(low: number, high: number): void {
    if (!(high > low)) return;
    this.#view = [low, high];
    this.update();
  }

  /** Moves the cursor by pixels, from the middle where there is none. */
  moveCursor(pixels: number): void {
    const width = this.#plot.over.clientWidth;
    const left = this.#plot.cursor.left ?? -1;
    const next = Math.max(0, Math.min(width - 1, left < 0 ? width / 2 : left + pixels));
    this.#plot.setCursor({ left: next, top: this.#plot.over.clientHeight / 2 });
  }

  /** Views change in the axis's own geometry: evenly in the logarithm on a log axis. */
  #change(next: (range: readonly [number, number]) => readonly [number, number]): void {
    if (this.#frame === null) return;
    // Several may come before the next frame is drawn: each goes on from the one before.
    const [low, high] = this.#view ?? this.#frame.range;
    const [a, b] = this.#options.xLog ? next([Math.log10(low), Math.log10(high)]) : next([low, high]);
    this.#view = this.#options.xLog ? [10 ** a, 10 ** b] : [a, b];
    this.update();
  }

  #width(): number {
    return Math.max(200, this.#host.clientWidth);
  }

  #draw(): void {
    this.#frame = this.#options.frame(this.#view, Math.max(50, Math.round(this.#plot.over.clientWidth)));
    const { x, values } = this.#frame ?? EMPTY_FRAME;
    this.#plot.setData([x, ...values] as never, false);
    this.#plot.setScale("x", { min: this.#range()[0], max: this.#range()[1] });
  }

  #range(): readonly [number, number] {
    return this.#frame?.range ?? (this.#options.xLog ? [0.001, 1] : EMPTY_FRAME.range);
  }

  #yRange(): [number, number] {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    const { yLog } = this.#options;
    const take = (value: number | null) => {
      if (value === null || !Number.isFinite(value) || (yLog && value <= 0)) return;
      if (value < low) low = value;
      if (value > high) high = value;
    };
    for (const values of this.#frame?.values ?? []) for (const value of values) take(value);
    const [left, right] = this.#range();
    for (const { at } of this.#frame?.points ?? []) {
      for (const { x, y } of at) if (x >= left && x <= right) take(y);
    }
    if (low > high) return yLog ? [0.1, 1] : [0, 1];
    if (yLog) {
      const pad = Math.max(1.05, (high / low) ** 0.05);
      return [low / pad, high * pad];
    }
    if (this.#options.clipSpikes) high = Math.min(high, spikeLimit(this.#frame?.values.at(-1) ?? [], low));
    high = Math.min(high, this.#options.highest?.() ?? high);
    const pad = (high - low || Math.abs(high) || 1) * 0.05;
    return [low >= 0 && low - pad < 0 ? 0 : low - pad, high + pad];
  }

  #plotOptions(): uPlot.Options {
    const { lines, bands = [], xLog, yLog, xLabel, yLabel, height, onCursor } = this.#options;
    const colors = this.#colors;
    const scale = (log: boolean, range: () => readonly [number, number]): uPlot.Scale => ({
      time: false,
      distr: log ? 3 : 1,
      log: 10,
      auto: false,
      range: () => [...range()] as [number, number],
    });
    const axis = (label: string, log: boolean): uPlot.Axis => ({
      label,
      labelSize: 20,
      labelFont: "13px system-ui, sans-serif",
      font: "12px system-ui, sans-serif",
      stroke: colors.ink,
      grid: { stroke: colors.grid, width: 1 },
      ticks: { stroke: colors.grid, width: 1 },
      // uPlot would label the powers of ten alone.
      filter: (_plot, splits) => splits,
      values: (_plot, splits) => splits.map(tickLabel),
      ...(log
        ? {
            // By the whole's size: the plotting area has its own only once the axes are laid out.
            splits: (plot: uPlot, i: number, low: number, high: number) =>
              logTicks(low, high, Math.max(2, i === 0 ? (plot.width - 80) / 65 : (plot.height - 60) / 30)),
          }
        : {}),
    });
    return {
      width: this.#width(),
      height,
      legend: { show: false },
      scales: { x: scale(xLog, () => this.#range()), y: { ...scale(yLog, () => this.#yRange()), auto: true } },
      axes: [
        // Room for steps in the millions.
        { ...axis(xLabel, xLog), size: 34, space: 65 },
        { ...axis(yLabel, yLog), size: 62 },
      ],
      series: [
        {},
        ...lines.map(({ label, color, faint = false, dash }) => ({
          label,
          stroke: colors.line(color, faint ? 0.35 : 1),
          width: faint ? 1 : 2,
          points: { show: false },
          spanGaps: true,
          ...(dash === undefined ? {} : { dash: [...dash] }),
        })),
      ],
      bands: bands.map(({ lines: [a, b], color }) => ({ series: [a + 1, b + 1], fill: colors.line(color, 0.18) })),
      cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
      hooks: {
        setCursor: [
          (plot) =>
            onCursor(
              plot.cursor.left === undefined || plot.cursor.left < 0 ? null : plot.posToVal(plot.cursor.left, "x"),
            ),
        ],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width > 3) this.select(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
        draw: [(plot) => drawOver(plot, this.#frame, colors)],
      },
    };
  }
}

function tickLabel(value: number | null): string {
  if (value === null) return "";
  return Number.isInteger(value) && Math.abs(value) < 1e9 ? whole(value) : number(value, 6);
}

/** As far above the level of a smooth line as its lowest value is below: what starts low and then explodes stays readable. */
function spikeLimit(smooth: Values, low: number): number {
  const values = smooth.filter((value) => value !== null);
  if (values.length === 0) return Number.POSITIVE_INFINITY;
  const median = values.toSorted((a, b) => a - b)[values.length >> 1]!;
  const level = Math.max(values[0]!, median);
  return level + Math.max(level - low, Math.abs(level) * 0.05);
}
