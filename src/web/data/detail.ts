import { LIMITS } from "../../schemas/limits.js";
import { AnnealError, client } from "./api.js";
import type { MetricColumns } from "./metric-columns.js";
import { RunColumns } from "./run-columns.js";

/** The widest view, in steps, that single steps are fetched for: buckets would be wider than a pixel in it. */
const WIDEST = 2 ** 16;
/** Steps fetched before a view, so that a smooth line has come to where it would be from the run's beginning. */
export const WARM_UP = 2 ** 16;
/** What is held grows with a live run to so many steps; then it is fetched anew, without those that are out of view. */
const LONGEST = 2 ** 18;
const REST_MS = 250;

/** Steps [first, next), of which those before `warm` are there for smoothing alone. */
interface Span {
  readonly first: number;
  readonly warm: number;
  readonly next: number;
}

/**
 * What one chart draws of a run: where the run is held in buckets and the view is narrow, the single steps of that stretch,
 * fetched as they are wanted; else what is held of the run itself.
 */
export class Detail {
  /** As of the last `show`. */
  shown: MetricColumns;
  readonly #runId: string;
  readonly #columns: MetricColumns;
  readonly #onChange: () => void;
  #steps: RunColumns | null = null;
  #warm = 0;
  /** What was asked for last, until a while after it has come: a live run is not asked for at every message. */
  #asked: Span | null = null;
  #request: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #refused = false;

  /** `onChange`: `show` has something new to say. */
  constructor(runId: string, columns: MetricColumns, onChange: () => void) {
    this.#runId = runId;
    this.#columns = columns;
    this.#onChange = onChange;
    this.shown = columns;
  }

  /** The columns to draw the stretch of steps [from, to) from, now; asks for what is missing. */
  show(from: number, to: number): MetricColumns {
    this.shown = this.#holds(from, to) ? this.#steps! : this.#columns;
    return this.shown;
  }

  close(): void {
    this.#request?.abort();
    clearTimeout(this.#timer);
  }

  #holds(from: number, to: number): boolean {
    if (this.#columns.every === 1 || to - from > WIDEST || to <= from || this.#refused) return false;
    this.#want(from, to);
    const steps = this.#steps;
    // A live run may be some way ahead of what has been fetched: its buckets in between would be a flicker.
    return steps !== null && this.#warm <= from && to - steps.next <= (to - from) / 2;
  }

  #want(from: number, to: number): void {
    const leadsTo = ({ first, warm, next }: Span) => warm <= from && from <= next && to - first <= LONGEST;
    if (this.#asked !== null && leadsTo(this.#asked)) return;
    const margin = to - from;
    const end = Math.min(LIMITS.steps, to + margin);
    const held = this.#steps;
    if (held !== null && leadsTo({ first: held.first, warm: this.#warm, next: held.next })) {
      if (held.next < to) void this.#fetch({ first: held.first, warm: this.#warm, next: end }, held);
      return;
    }
    const warm = Math.max(this.#columns.first, from - margin);
    const first = Math.max(this.#columns.first, warm - WARM_UP);
    void this.#fetch({ first, warm, next: end }, new RunColumns(first));
  }

  /** Fetches what `into` lacks of a span. */
  async #fetch(span: Span, into: RunColumns): Promise<void> {
    this.close();
    const request = new AbortController();
    this.#request = request;
    this.#asked = span;
    try {
      const { lr, loss } = await client.runs.metrics(
        this.#runId,
        { from: into.next, to: span.next, columns: "lr,loss" },
        { signal: request.signal },
      );
      if (request.signal.aborted) return;
      into.push(lr!, loss!);
      this.#steps = into;
      this.#warm = span.warm;
      this.#onChange();
    } catch (error) {
      if (request.signal.aborted) return;
      // The run is gone; what is held of it stays.
      this.#refused = error instanceof AnnealError;
    }
    this.#timer = setTimeout(() => {
      this.#asked = null;
      this.#onChange();
    }, REST_MS);
  }
}
