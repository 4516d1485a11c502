import uPlot from "uplot";
import { axesOf } from "./axes.js";
import { type Band, type Drawing, keyOf, type Line } from "./drawing.js";
import { asFitted, type Fit, type Fitted, fitRange } from "./fit.js";
import { listen, ZOOM } from "./gestures.js";
import { keepStretch, stretchInAddress } from "./kept-stretch.js";
import type { Link, Linked } from "./link.js";
import { drawOver } from "./overlay.js";
import { type Palette, palette } from "./palette.js";
import type { View } from "./plan.js";

export interface ChartOptions {
  readonly title: string;
  /** What the address calls it; absent: nothing. */
  readonly name?: string;
  readonly lines: readonly Line[];
  readonly bands?: readonly Band[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xLog: boolean;
  readonly yLog: boolean;
  readonly height: number;
  readonly fit: Fit;
  /** Lets what is higher run out of the picture; not on a log axis. */
  readonly highest?: () => number;
  /** What to draw for a view, `width` pixels wide; null: nothing yet. Called once a frame at most. */
  readonly frame: (view: View, width: number) => Drawing | null;
  /** Where the cursor is: x, and y where a pointer is on this very chart (null: nowhere); and what the y axis shows. */
  readonly onCursor: (x: number | null, y: number | null, yRange: readonly [number, number]) => void;
}

const EMPTY_FRAME = { range: [0, 1], x: new Float64Array(0), values: [] } as const;

type Range = readonly [number, number];

/** A uPlot whose data are made anew for what is visible, at most once a frame, however fast the run. */
export class Chart implements Linked {
  readonly #host: HTMLElement;
  readonly #options: ChartOptions;
  readonly #colors: Palette = palette();
  readonly #plot: uPlot;
  readonly #link: Link;
  readonly #resize: ResizeObserver;
  #frame: Drawing | null = null;
  /** Of the frame; uPlot asks for it several times. */
  #fittedRange: Range | null = null;
  /** null: fitted to what is drawn. */
  #yView: View;
  #hidden: ReadonlySet<string> = new Set();
  #scheduled = 0;

  /** `restored`: it begins with the stretch of the y axis that the address has. */
  constructor(host: HTMLElement, options: ChartOptions, link: Link, restored: boolean) {
    this.#host = host;
    this.#options = options;
    this.#link = link;
    const kept = options.name === undefined || !restored ? null : stretchInAddress(`y.${options.name}`);
    this.#yView = options.yLog && kept !== null && kept[0] <= 0 ? null : kept;
    if (!restored) this.#keepY(null);
    link.join(this);
    this.#plot = new uPlot(this.#plotOptions(), [[], ...options.lines.map(() => [])] as never, host);
    this.#resize = new ResizeObserver(() => {
      this.#plot.setSize({ width: this.#width(), height: options.height });
      this.update();
    });
    this.#resize.observe(host);
    listen(this.#plot, this);
    this.update();
  }

  destroy(): void {
    this.#link.leave(this);
    cancelAnimationFrame(this.#scheduled);
    this.#resize.disconnect();
    this.#plot.destroy();
  }

  /** The data or the view have changed. */
  update(): void {
    if (this.#scheduled !== 0) return;
    this.#scheduled = requestAnimationFrame(() => {
      this.#scheduled = 0;
      this.#draw();
    });
  }

  /** Shows all lines, bands and points but those of these keys. */
  hide(keys: ReadonlySet<string>): void {
    this.#hidden = keys;
    for (const [i, line] of this.#options.lines.entries()) {
      const show = !keys.has(keyOf(line));
      if (this.#plot.series[i + 1]!.show !== show) this.#plot.setSeries(i + 1, { show }, false);
    }
    this.update();
  }

  zoom(factor = ZOOM, at = 0.5): void {
    this.#change((range) => zoomed(range, factor, at));
  }

  zoomY(factor = ZOOM, at = 0.5): void {
    this.#changeY((range) => zoomed(range, factor, at));
  }

  pan(part: number): void {
    this.#change((range) => panned(range, part));
  }

  /** The y axis moves where it is no longer fitted. */
  panY(part: number): void {
    if (this.#yView !== null) this.#changeY((range) => panned(range, part));
  }

  reset(): void {
    this.#keepY(null);
    this.#link.show(null);
  }

  lead(): void {
    this.#link.leader = this;
  }

  /** Moves the cursor by pixels, from the middle where there is none. */
  moveCursor(pixels: number): void {
    this.lead();
    const width = this.#plot.over.clientWidth;
    const left = this.#plot.cursor.left ?? -1;
    const next = Math.max(0, Math.min(width - 1, left < 0 ? width / 2 : left + pixels));
    this.#plot.setCursor({ left: next, top: this.#plot.over.clientHeight / 2 });
  }

  showCursor(x: number | null): void {
    const left = x === null ? -10 : this.#plot.valToPos(x, "x");
    const shown = left >= 0 && left <= this.#plot.over.clientWidth;
    this.#plot.setCursor(shown ? { left, top: this.#plot.over.clientHeight / 2 } : { left: -10, top: -10 }, false);
    this.#options.onCursor(shown ? x : null, null, this.#shownY());
  }

  /** Views change in the axis's own geometry: evenly in the logarithm on a log axis. */
  #change(next: (range: Range) => Range): void {
    if (this.#frame === null) return;
    this.#link.show(inGeometry(this.#link.view ?? this.#frame.range, this.#options.xLog, next));
  }

  #changeY(next: (range: Range) => Range): void {
    if (this.#frame === null) return;
    this.#keepY(inGeometry(this.#yRange(), this.#options.yLog, next));
    this.update();
  }

  #keepY(view: View): void {
    this.#yView = view;
    if (this.#options.name !== undefined) keepStretch(`y.${this.#options.name}`, view);
  }

  #width(): number {
    return Math.max(200, this.#host.clientWidth);
  }

  #draw(): void {
    this.#frame = this.#options.frame(this.#link.view, Math.max(50, Math.round(this.#plot.over.clientWidth)));
    const { x, values } = this.#frame ?? EMPTY_FRAME;
    this.#fittedRange = this.#fit();
    this.#plot.setData([x, ...values] as never, false);
    this.#plot.setScale("x", { min: this.#range()[0], max: this.#range()[1] });
  }

  #range(): Range {
    return this.#frame?.range ?? (this.#options.xLog ? [0.001, 1] : EMPTY_FRAME.range);
  }

  #yRange(): Range {
    return this.#yView ?? this.#fittedRange ?? this.#fit();
  }

  #fit(): Range {
    const { yLog, fit, highest } = this.#options;
    const given = this.#frame?.yRange;
    if (given !== undefined) return given;
    return fitRange(this.#fitted(), fit, yLog, highest?.()) ?? (yLog ? [0.1, 1] : [0, 1]);
  }

  #shownY(): Range {
    const { min, max } = this.#plot.scales.y!;
    return [min ?? 0, max ?? 1];
  }

  #fitted(): Fitted[] {
    const [left, right] = this.#range();
    const { lines } = this.#options;
    const { values = [], points = [] } = this.#frame ?? {};
    return [
      ...values.flatMap((line, i) =>
        this.#hidden.has(keyOf(lines[i]!)) ? [] : [asFitted(line, lines[i]!.faint ?? false)],
      ),
      ...points
        .filter(({ key }) => key === undefined || !this.#hidden.has(key))
        .map(({ at }) =>
          asFitted(
            at.filter(({ x }) => x >= left && x <= right).flatMap(({ y, error }) => withBar(y, error ?? 0)),
            false,
          ),
        ),
    ];
  }

  #plotOptions(): uPlot.Options {
    const { lines, bands = [], xLog, yLog, height, onCursor } = this.#options;
    const colors = this.#colors;
    const scale = (log: boolean, range: () => Range): uPlot.Scale => ({
      time: false,
      distr: log ? 3 : 1,
      log: 10,
      auto: false,
      range: () => [...range()] as [number, number],
    });
    return {
      width: this.#width(),
      height,
      legend: { show: false },
      scales: { x: scale(xLog, () => this.#range()), y: { ...scale(yLog, () => this.#yRange()), auto: true } },
      axes: axesOf(this.#options, colors),
      series: [
        {},
        ...lines.map(({ label, color, faint = false, dash = [] }) => ({
          label,
          stroke: colors.line(color, faint ? 0.16 : 1),
          width: faint ? 1 : 2,
          points: { show: false },
          spanGaps: true,
          dash: [...dash],
        })),
      ],
      bands: bands.map(({ lines: [a, b], color }) => ({ series: [a + 1, b + 1], fill: colors.line(color, 0.18) })),
      // Dragged along one axis it selects a stretch of that; both ways, a rectangle.
      cursor: { drag: { x: true, y: true, uni: 40, setScale: false }, points: { show: false }, y: false },
      hooks: {
        setCursor: [
          ({ cursor: { left = -1, top = -1 }, posToVal }) => {
            // A cursor that follows another's is told by that one.
            if (this.#link.leader !== this) return;
            const x = left < 0 ? null : posToVal(left, "x");
            onCursor(x, x === null ? null : posToVal(top, "y"), this.#shownY());
            this.#link.point(this, x);
          },
        ],
        setSelect: [(plot) => this.#select(plot)],
        draw: [(plot) => drawOver(plot, this.#frame, colors, this.#hidden)],
      },
    };
  }

  #select(plot: uPlot): void {
    const { left, top, width, height } = plot.select;
    if (width <= 3 && height <= 3) return;
    const stretch = (from: number, to: number, axis: "x" | "y") =>
      [plot.posToVal(from, axis), plot.posToVal(to, axis)] as const;
    // Dragged along one axis, the selection is as wide as the other.
    if (height > 3 && height < plot.over.clientHeight - 1) this.#keepY(stretch(top + height, top, "y"));
    if (width > 3 && width < plot.over.clientWidth - 1) this.#link.show(stretch(left, left + width, "x"));
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.update();
  }
}

/** A point takes the room of its error bar. */
const withBar = (y: number | null, error: number): (number | null)[] => (y === null ? [] : [y - error, y + error]);

function inGeometry([low, high]: Range, log: boolean, next: (range: Range) => Range): Range {
  if (!log) return next([low, high]);
  const [a, b] = next([Math.log10(low), Math.log10(high)]);
  return [10 ** a, 10 ** b];
}

function zoomed([low, high]: Range, factor: number, at: number): Range {
  const fixed = low + (high - low) * at;
  return [fixed - (fixed - low) / factor, fixed + (high - fixed) / factor];
}

const panned = ([low, high]: Range, part: number): Range => [low + (high - low) * part, high + (high - low) * part];
