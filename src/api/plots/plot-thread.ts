import { Worker } from "node:worker_threads";
import { ProblemError } from "../../schemas/problem.js";
import type { ScheduleSpec } from "../../schemas/schedule.js";
import type { Plot } from "./plot.js";

export type Task =
  | {
      readonly type: "draw";
      readonly format: "svg" | "png";
      readonly plot: Plot;
      readonly width: number;
      readonly height: number;
    }
  | { readonly type: "preview"; readonly spec: ScheduleSpec; readonly steps: number; readonly points: number };
export interface Curve {
  readonly steps: number[];
  readonly lr: number[];
}
export type Answer = string | Uint8Array | Curve;
export interface Numbered<T> {
  readonly id: number;
  readonly body: T;
  readonly error?: string;
}

/** Tasks that may wait; a picture's data is a megabyte or so. */
const MOST_WAITING = 32;
/** After so long without a task the thread ends, and with it the memory of the libraries. */
const IDLE_MS = 60_000;

/** A thread that finishes nothing for so long is given up. */
const STUCK_MS = 60_000;

interface Waiting {
  resolve(answer: never): void;
  reject(error: Error): void;
}

/** Draws pictures in a thread of its own, so that the API's loop stays free; the thread starts with the first of them. */
export class PlotThread {
  #thread: Worker | null = null;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #timer: NodeJS.Timeout | undefined;

  draw(plot: Plot, format: "svg" | "png", width: number, height: number): Promise<string | Uint8Array> {
    return this.#perform<string | Uint8Array>({ type: "draw", format, plot, width, height });
  }

  /** The curve of a schedule that follows from the step alone. */
  preview(spec: ScheduleSpec, steps: number, points: number): Promise<Curve> {
    return this.#perform<Curve>({ type: "preview", spec, steps, points });
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#thread?.terminate();
  }

  #perform<T extends Answer>(body: Task): Promise<T> {
    if (this.#waiting.size >= MOST_WAITING) {
      return Promise.reject(new ProblemError("too-many-requests", "Too many pictures are being drawn"));
    }
    this.#thread ??= this.#start();
    if (this.#waiting.size === 0) this.#endAfter(this.#thread, STUCK_MS);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#thread!.postMessage({ id, body } satisfies Numbered<Task>);
    });
  }

  #endAfter(thread: Worker, ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // An idle thread is given up at once: what comes next gets a new one.
      if (this.#waiting.size === 0) this.#thread = null;
      void thread.terminate();
    }, ms).unref();
  }

  #start(): Worker {
    const thread = new Worker(new URL("./thread.js", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    // A process that has nothing else to do may end.
    thread.unref();
    thread.on("message", ({ id, body, error }: Numbered<never>) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(body);
      else waiting?.reject(new Error(error));
      this.#endAfter(thread, this.#waiting.size > 0 ? STUCK_MS : IDLE_MS);
    });
    const ended = (error: Error) => {
      if (this.#thread === thread) this.#thread = null;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    thread.on("error", (error) => ended(error as Error));
    thread.on("exit", (code) => {
      if (this.#thread === thread) ended(new Error(`the plotting thread ended with code ${code}`));
    });
    return thread;
  }
}
