import type { Envelope } from "../../core/envelope.js";
import type { EvalPoint } from "../../schemas/metrics.js";
import { Column } from "./column.js";
import type { MetricColumns } from "./metric-columns.js";
import { isRising } from "./run-columns.js";
import { Smoother, type Smoothing } from "./smoother.js";

/** Entries that a page holds of a run at most: a longer one is followed in buckets of as few steps as will do. */
const MOST_ENTRIES = 2 ** 18;

/** Steps of one bucket, a power of two; 1: every step is taken. */
export function bucketSize(steps: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(steps / MOST_ENTRIES)));
}

/**
 * The server's envelopes as they arrive: buckets of `every` steps that begin at its multiples. The first begins at `first`,
 * wherever that lies, and the last of a run ends with it.
 */
export class BucketColumns implements MetricColumns {
  readonly every: number;
  readonly first: number;
  next: number;
  /** Mean rates. */
  readonly lr = new Column(64);
  /** Losses in each bucket that are not finite. */
  readonly notFinite: number[] = [];
  readonly evals: EvalPoint[] = [];
  rising = true;
  readonly #min = new Column(32);
  readonly #max = new Column(32);
  readonly #mean = new Column(32);
  readonly #smoother = new Smoother();
  readonly loss = {
    at: (index: number) => this.#mean.at(index),
    extent: (from: number, to: number) => ({
      min: this.#min.extent(from, to).min,
      max: this.#max.extent(from, to).max,
    }),
  };

  constructor(every: number, first = 0) {
    this.every = every;
    this.first = first;
    this.next = first;
  }

  get length(): number {
    return this.lr.length;
  }

  push({ to, lr, min, max, mean, notFinite }: Envelope): void {
    this.rising = this.rising && isRising(this.lr.at(this.length - 1), lr);
    this.lr.push(lr);
    this.#min.push(min);
    this.#max.push(max);
    this.#mean.push(mean);
    for (const count of notFinite) this.notFinite.push(count);
    this.next = to;
  }

  stepOf(index: number): number {
    return index === 0 ? this.first : (Math.floor(this.first / this.every) + index) * this.every;
  }

  indexAtStep(position: number): number {
    if (position <= this.first) return 0;
    return Math.min(this.length, Math.ceil(position / this.every) - Math.floor(this.first / this.every));
  }

  /** Of the means: as far back in steps, as nearly as whole buckets allow. */
  smoothed(smoothing: Smoothing): Float32Array {
    const inBuckets: Smoothing =
      smoothing.kind === "ema"
        ? { kind: "ema", decay: smoothing.decay ** this.every }
        : { kind: "mean", window: Math.max(1, Math.round(smoothing.window / this.every)) };
    return this.#smoother.update(this.#mean.values(), inBuckets);
  }
}
