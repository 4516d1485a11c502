import progress from "cli-progress";
import plot from "simple-ascii-chart";
import { short } from "./output.js";

const FRAME_MS = 250;
/** Where there is no terminal, lines are written: seldom. */
const LINE_MS = 2000;
const BAR = "{bar} {percentage}%  {value}/{total}  ETA {left}  {facts}";

export type Point = readonly [x: number, y: number];

/** What is known of how far something is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly facts: string;
}

/** A bar with the time that is left, redrawn in place under a plot where there is a terminal, else now and then a line. */
export class LiveView {
  readonly #out: NodeJS.WriteStream;
  readonly #points: () => readonly Point[];
  readonly #format = progress.Format;
  readonly #startedAt = Date.now();
  #first: number | null = null;
  #drawnAt = 0;
  #lines = 0;

  /** `points`: of the curve above the bar; none: there is no curve. */
  constructor(out: NodeJS.WriteStream, points: () => readonly Point[] = () => []) {
    this.#out = out;
    this.#points = points;
  }

  /** Shows it, unless something was shown just now. `last`: in any case. */
  show(state: Progress, last = false): void {
    const now = Date.now();
    this.#first ??= state.done;
    if (!last && now - this.#drawnAt < (this.#out.isTTY ? FRAME_MS : LINE_MS)) return;
    this.#drawnAt = now;
    if (!this.#out.isTTY) {
      this.#out.write(`${this.#bar(state, now, 80)}\n`);
      return;
    }
    const { columns, rows } = this.#out;
    const frame = [...this.#plot(columns, rows), this.#bar(state, now, columns).slice(0, columns)];
    const up = this.#lines === 0 ? "" : `\x1b[${this.#lines}A\x1b[J`;
    this.#out.write(`${up}${frame.join("\n")}\n`);
    this.#lines = frame.length;
  }

  #bar({ done, total, facts }: Progress, now: number, columns: number): string {
    const perMs = (done - this.#first!) / (now - this.#startedAt);
    const seconds = done >= total ? 0 : Math.ceil((total - done) / perMs / 1000);
    const shades = progress.Presets.shades_classic;
    const barsize = Math.max(5, Math.min(30, columns - 50));
    const options = {
      format: BAR,
      barsize,
      barCompleteString: shades.barCompleteChar.repeat(barsize),
      barIncompleteString: shades.barIncompleteChar.repeat(barsize),
      autopaddingChar: "",
      barGlue: "",
    };
    const params = {
      progress: total === 0 ? 0 : Math.min(1, done / total),
      eta: 0,
      startTime: this.#startedAt,
      total,
      value: done,
      maxWidth: columns,
    };
    const left = perMs > 0 || seconds === 0 ? this.#format.TimeFormat(seconds, options as progress.Options, 5) : "-";
    return this.#format.Formatter(options, params as unknown as progress.Params, { facts, left });
  }

  #plot(columns: number, rows: number): string[] {
    const points = this.#points().filter(([, y]) => Number.isFinite(y));
    if (points.length < 2) return [];
    const [low, high] = [points[0]![0], points.at(-1)![0]];
    const text = plot(points as [number, number][], {
      width: Math.max(20, columns - 12),
      height: Math.max(5, Math.min(18, rows - 8)),
      customXAxisTicks: [0, 1, 2, 3, 4].map((i) => low + (i * (high - low)) / 4),
      formatter: (value, { axis }) => short(axis === "x" ? Math.round(value) : Number(value.toPrecision(4))),
    });
    return text.split("\n").filter((line) => line.trim() !== "");
  }
}
