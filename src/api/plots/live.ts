import type { ServerResponse } from "node:http";
import { SeriesAccumulator } from "../../core/series.js";
import { emaValue, initEma, nextEma } from "../../core/smoothing.js";
import { TERMINAL_STATUSES } from "../../schemas/run.js";
import type { Cursor, LogEntry, RunRecord, RunStore, Sink, Tail } from "../../store/contract.js";
import { withAxes } from "./axes.js";
import { cut } from "./key.js";
import { type Point, printable, short } from "./plot.js";
import { textOf } from "./text.js";

const FRAME_MS = 250;
/** Frames between two looks at the record, for its speed. */
const FRAMES_PER_LOOK = 4;
/** A terminal that takes nothing for so long is cut off. */
const FROZEN_MS = 12_000;
/** How long a terminal has to take the last frame. */
const LAST_FRAME_MS = 3000;
const DECAY = 0.98;

const CLEAR = "\x1b[2J\x1b[H";

/** Size in characters. */
export interface Screen {
  readonly width: number;
  readonly height: number;
}

/**
 * A run's loss curve so far, drawn anew a few times a second on a terminal until the run is over. It keeps one bucket a column;
 * a terminal that lags gets fewer frames, and always the last one.
 */
export class LivePlot implements Sink {
  readonly #runs: RunStore;
  readonly #response: ServerResponse;
  readonly #screen: Screen;
  readonly #losses: SeriesAccumulator;
  readonly #tail: Tail;
  #cursor: Cursor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #record: RunRecord;
  /** As of the log's entry that was last read. */
  #status = "queued";
  #ema = initEma();
  #step = 0;
  #lr = Number.NaN;
  #ticks = 0;
  #changed = false;
  #lastTaken = Date.now();

  constructor(runs: RunStore, tail: Tail, record: RunRecord, response: ServerResponse, screen: Screen) {
    this.#runs = runs;
    this.#record = record;
    this.#response = response;
    this.#screen = screen;
    const { steps, from } = record.spec;
    this.#losses = new SeriesAccumulator({
      from: from?.step ?? 0,
      to: steps,
      points: screen.width,
      transform: "none",
      window: 1,
    });
    this.#tail = tail;
  }

  /** Takes the connection over; false: the reader has gone. */
  start(): boolean {
    // Gone while we looked: its "close" has been, and nothing would ever end what is begun now.
    if (this.#response.destroyed || this.#response.socket?.destroyed !== false) return false;
    this.#response.writeHead(200, {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    this.#response.on("close", () => this.#release());
    this.#timer = setInterval(() => this.#tick(), FRAME_MS);
    this.#cursor = this.#tail.follow(this.#record.id, 0, this);
    this.#response.flushHeaders();
    this.#cursor.resume();
    return true;
  }

  /** Whatever the terminal does: entries are reduced as they come. */
  hasRoom(): boolean {
    return true;
  }

  send(entry: LogEntry): void {
    this.#changed = true;
    if (entry.kind === "status") {
      this.#status = entry.change.status;
      if (TERMINAL_STATUSES.includes(entry.change.status)) this.#end(entry.change.reason ?? "");
    }
    if (entry.kind !== "chunk") return;
    const { lr, loss } = entry.chunk;
    const averages = new Float64Array(loss.length);
    for (let i = 0; i < loss.length; i++) {
      this.#ema = nextEma(this.#ema, loss[i]!, DECAY);
      averages[i] = emaValue(this.#ema, DECAY);
    }
    this.#losses.push(averages);
    this.#lr = lr.at(-1)!;
    this.#step = entry.step;
  }

  gone(): void {
    this.#status = "deleted";
    this.#end("");
  }

  /** Draws the last frame, and ends the answer; a terminal that does not take it is not waited for long. */
  #end(note: string): void {
    this.#release();
    if (this.#response.writableEnded) return;
    this.#response.end(`${this.#frame()}${note === "" ? "" : `${printable(note)}\n`}`);
    setTimeout(() => {
      if (!this.#response.writableFinished) this.#response.destroy();
    }, LAST_FRAME_MS).unref();
  }

  /** The server goes away. */
  restart(): void {
    this.#end("the server restarts; ask again");
  }

  #release(): void {
    clearInterval(this.#timer);
    this.#cursor?.close();
  }

  #tick(): void {
    if (this.#response.writableLength > 0) {
      if (Date.now() - this.#lastTaken > FROZEN_MS) this.#response.destroy();
      return;
    }
    this.#lastTaken = Date.now();
    if (this.#ticks++ % FRAMES_PER_LOOK === 0) void this.#look();
    if (!this.#changed) return;
    this.#changed = false;
    this.#response.write(this.#frame());
  }

  async #look(): Promise<void> {
    // Redis may be away for a while; the header then shows what was last known.
    const record = await this.#runs.get(this.#record.id).catch(() => null);
    if (record === null) return;
    if (record.stepsPerSecond !== this.#record.stepsPerSecond) this.#changed = true;
    this.#record = record;
  }

  #frame(): string {
    const { width: columns, height: rows } = this.#screen;
    const { id, spec, stepsPerSecond } = this.#record;
    const facts = [
      this.#status,
      `${short(this.#step)}/${short(spec.steps)} steps`,
      ...(stepsPerSecond === null ? [] : [`${short(stepsPerSecond)} steps/s`]),
      ...(this.#step === 0 ? [] : [`lr ${short(this.#lr)}`, `loss ${short(emaValue(this.#ema, DECAY), 4)}`]),
    ];
    const { step, mean } = this.#losses.result();
    const points = mean.flatMap((y, i): Point[] => (y === null ? [] : [[step[i]!, y]]));
    if (points.length === 0) return `${CLEAR}${cut(id, columns)}\n${cut(facts.join("  "), columns)}\n`;
    const plot = withAxes({
      title: spec.name === null ? id : `${printable(spec.name)} (${id})`,
      subtitle: facts.join("  "),
      lines: [{ name: null, color: 0, style: "strong", points }],
      marks: [],
      xLabel: "step",
      yLabel: `loss (nats), smoothed, decay ${DECAY}`,
      xScale: "linear",
      yScale: "linear",
      steps: spec.steps,
      ceiling: null,
    });
    return CLEAR + textOf(plot, { columns, rows });
  }
}
