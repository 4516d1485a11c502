import uPlot from "uplot";
import type { ManyLine } from "./many.js";
import { palette } from "./palette.js";

/** How a line of the layer is drawn. */
export interface LayerLine extends ManyLine {
  readonly color: string;
}

/** A stretch of both axes, in their own geometry: the logarithm on a log axis. */
interface Window {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
}

/** A picture of all lines, of more than is seen. */
interface Sheet {
  readonly canvas: HTMLCanvasElement;
  readonly window: Window;
}

/** What a sheet shows beyond the view, as parts of the view's width and height on either side. */
const MARGIN_X = 0.5;
const MARGIN_Y = 0.25;
/** While a view moves, a new sheet is drawn in pieces: so many points in a frame at first, then as many as frames allow. */
const FIRST_PIECE = 4000;
const LONG_FRAME_MS = 20;
/** A view that changes its scale is shown as the sheet is, a little blurred, until it has rested so long. */
const REST_MS = 100;

/**
 * Hundreds of lines under one pan and zoom. They are drawn once onto a sheet, which each frame only places; where a view leaves
 * its sheet, or rests at another scale, the next sheet is drawn over some frames meanwhile.
 */
export class LineLayer {
  #lines: readonly LayerLine[] = [];
  #xLog = false;
  #yLog = false;
  #sheet: Sheet | null = null;
  #next: { sheet: Sheet; done: number } | null = null;
  #piece = FIRST_PIECE;
  #lastFrame = 0;
  #scheduled = 0;
  #resting: ReturnType<typeof setTimeout> | undefined;
  #plot: uPlot | null = null;
  readonly #top = document.createElement("canvas");
  #pointed: LayerLine | null = null;
  readonly #onReady: () => void;

  /** `onReady`: a better picture can be drawn. */
  constructor(onReady: () => void) {
    this.#onReady = onReady;
  }

  set(lines: readonly LayerLine[], { xLog, yLog }: { readonly xLog: boolean; readonly yLog: boolean }): void {
    this.#lines = lines;
    this.#xLog = xLog;
    this.#yLog = yLog;
    this.#sheet = null;
    this.#next = null;
  }

  close(): void {
    cancelAnimationFrame(this.#scheduled);
    clearTimeout(this.#resting);
    this.#next = null;
    this.#top.remove();
  }

  /** Lets one line stand out; null: none. It is drawn on a canvas of its own, so that nothing else has to be drawn again. */
  point(line: LayerLine | null): void {
    this.#pointed = line;
    if (this.#plot !== null) this.#drawTop(this.#plot);
  }

  /** Draws on a plot's canvas, within what is cut out of it. */
  draw(plot: uPlot): void {
    this.#plot = plot;
    this.#drawTop(plot);
    const { ctx, bbox } = plot;
    const view = this.#windowOf(plot);
    if (this.#sheet === null || !overlaps(this.#sheet.window, view)) {
      this.#sheet = this.#begin(plot, view);
      this.#next = null;
      this.#drawLines(this.#sheet, 0, Number.POSITIVE_INFINITY);
    }
    const { canvas, window } = this.#sheet;
    const [xScale, yScale] = [bbox.width / (view.right - view.left), bbox.height / (view.top - view.bottom)];
    ctx.drawImage(
      canvas,
      bbox.left + (window.left - view.left) * xScale,
      bbox.top + (view.top - window.top) * yScale,
      (window.right - window.left) * xScale,
      (window.top - window.bottom) * yScale,
    );
    clearTimeout(this.#resting);
    if (this.#next !== null) return;
    if (!reaches(window, view)) this.#renew(plot, view);
    else if (!sized(canvas, plot) || !isSharp(window, view))
      this.#resting = setTimeout(() => this.#renew(plot, view), REST_MS);
  }

  #renew(plot: uPlot, view: Window): void {
    this.#next = { sheet: this.#begin(plot, view), done: 0 };
    this.#lastFrame = 0;
    this.#schedule();
  }

  #drawTop({ over, bbox, valToPos }: uPlot): void {
    const top = this.#top;
    if (top.parentElement !== over) over.append(top);
    top.className = "chart-top";
    if (top.width !== bbox.width || top.height !== bbox.height) [top.width, top.height] = [bbox.width, bbox.height];
    const context = top.getContext("2d")!;
    context.clearRect(0, 0, top.width, top.height);
    const line = this.#pointed;
    if (line === null) return;
    const path = new Path2D();
    trace(
      path,
      line,
      (x) => valToPos(x, "x", true) - bbox.left,
      (y) => valToPos(y, "y", true) - bbox.top,
    );
    context.lineJoin = "round";
    const { ground } = palette();
    for (const [width, color] of [
      [6, ground],
      [3, line.color],
    ] as const) {
      context.lineWidth = width * uPlot.pxRatio;
      context.strokeStyle = color;
      context.stroke(path);
    }
  }

  #schedule(): void {
    this.#scheduled = requestAnimationFrame((now) => this.#continue(now));
  }

  #continue(now: number): void {
    const next = this.#next;
    if (next === null || this.#plot === null) return;
    if (this.#lastFrame > 0) this.#piece *= now - this.#lastFrame > LONG_FRAME_MS ? 0.7 : 1.3;
    this.#piece = Math.max(500, this.#piece);
    this.#lastFrame = now;
    next.done = this.#drawLines(next.sheet, next.done, this.#piece);
    if (next.done < this.#lines.length) {
      this.#schedule();
      return;
    }
    this.#sheet = next.sheet;
    this.#next = null;
    this.#onReady();
  }

  #begin({ bbox }: uPlot, view: Window): Sheet {
    const [wide, high] = [view.right - view.left, view.top - view.bottom];
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = sizeFor(bbox);
    return {
      canvas,
      window: {
        left: view.left - wide * MARGIN_X,
        right: view.right + wide * MARGIN_X,
        bottom: view.bottom - high * MARGIN_Y,
        top: view.top + high * MARGIN_Y,
      },
    };
  }

  /** Draws lines from `from` on until so many points are drawn; returns the first that is not. */
  #drawLines({ canvas, window }: Sheet, from: number, points: number): number {
    const context = canvas.getContext("2d")!;
    const [xScale, yScale] = [
      canvas.width / (window.right - window.left),
      canvas.height / (window.top - window.bottom),
    ];
    context.lineWidth = (this.#lines.length > 100 ? 1 : 1.5) * uPlot.pxRatio;
    context.globalAlpha = this.#lines.length > 100 ? 0.7 : 0.9;
    let i = from;
    for (let drawn = 0; i < this.#lines.length && drawn < points; i++) {
      const line = this.#lines[i]!;
      const path = new Path2D();
      trace(
        path,
        line,
        (x) => ((this.#xLog ? Math.log10(x) : x) - window.left) * xScale,
        // Far beyond the sheet is far enough.
        (y) => Math.max(-1e4, Math.min(1e4, (window.top - (this.#yLog ? Math.log10(y) : y)) * yScale)),
      );
      context.strokeStyle = line.color;
      context.stroke(path);
      drawn += line.x.length;
    }
    return i;
  }

  #windowOf({ scales }: uPlot): Window {
    const [x, y] = [scales.x!, scales.y!];
    const place = (value: number, log: boolean) => (log ? Math.log10(value) : value);
    return {
      left: place(x.min!, this.#xLog),
      right: place(x.max!, this.#xLog),
      bottom: place(y.min!, this.#yLog),
      top: place(y.max!, this.#yLog),
    };
  }
}

function trace(path: Path2D, { x, y }: ManyLine, left: (x: number) => number, top: (y: number) => number): void {
  let open = false;
  for (let i = 0; i < x.length; i++) {
    const height = y[i]!;
    if (!Number.isFinite(height)) {
      open = false;
      continue;
    }
    if (open) path.lineTo(left(x[i]!), top(height));
    else path.moveTo(left(x[i]!), top(height));
    open = true;
  }
}

const sizeFor = ({ width, height }: uPlot.BBox): [number, number] => [
  Math.round(width * (1 + 2 * MARGIN_X)),
  Math.round(height * (1 + 2 * MARGIN_Y)),
];

function sized({ width, height }: HTMLCanvasElement, { bbox }: uPlot): boolean {
  const [wanted, high] = sizeFor(bbox);
  return width === wanted && height === high;
}

const overlaps = (a: Window, b: Window): boolean =>
  a.left < b.right && b.left < a.right && a.bottom < b.top && b.bottom < a.top;

/** Drawn at the view's own scale. */
function isSharp(sheet: Window, view: Window): boolean {
  const alike = (a: number, b: number) => Math.abs(a / b - 1) < 1e-6;
  return (
    alike(sheet.right - sheet.left, (view.right - view.left) * (1 + 2 * MARGIN_X)) &&
    alike(sheet.top - sheet.bottom, (view.top - view.bottom) * (1 + 2 * MARGIN_Y))
  );
}

/** Beyond all edges of the view, far enough for the next sheet to be drawn before they are seen. */
function reaches(sheet: Window, view: Window): boolean {
  const left = Math.min(view.left - sheet.left, sheet.right - view.right) / (view.right - view.left);
  const above = Math.min(view.bottom - sheet.bottom, sheet.top - view.top) / (view.top - view.bottom);
  return left > 0.1 && above > 0.05;
}
