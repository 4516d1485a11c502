import { EnvelopeAccumulator } from "../../core/envelope.js";
import type { EvalPoint, MetricChunk } from "../../schemas/metrics.js";
import { envelopeMessage, evalsMessage, type Message, metricsMessage } from "./messages.js";

/** What a thinned reader has been given and not been sent, in the form in which it will be. */
export interface Held {
  /** Entries of the columns that `take` would give. */
  readonly size: number;
  push(chunk: MetricChunk): void;
  /** One message of what is held; `all`: with the bucket that is being filled. null: there is nothing. */
  take(all: boolean): Message | null;
}

/** Every step, as it is; chunks become one. */
export class HeldSteps implements Held {
  #chunks: MetricChunk[] = [];
  size = 0;

  push(chunk: MetricChunk): void {
    const { from, lr, loss, evals, replicas } = chunk;
    // The columns of a chunk share one buffer: with those of replicas it may be many times what is held here.
    this.#chunks.push(replicas === undefined ? chunk : { from, lr: lr.slice(), loss: loss.slice(), evals });
    this.size += lr.length;
  }

  take(): Message | null {
    if (this.size === 0) return null;
    const chunks = this.#chunks;
    const lr = new Float64Array(this.size);
    const loss = new Float32Array(this.size);
    let count = 0;
    for (const chunk of chunks) {
      lr.set(chunk.lr, count);
      loss.set(chunk.loss, count);
      count += chunk.lr.length;
    }
    this.#chunks = [];
    this.size = 0;
    return metricsMessage({ from: chunks[0]!.from, lr, loss, evals: chunks.flatMap(({ evals }) => evals) });
  }
}

/** Evaluations that wait for the end of a bucket; beyond, they go out before it. */
const MOST_EVALS = 4096;

/** Buckets of `every` steps. */
export class HeldBuckets implements Held {
  readonly #every: number;
  /** Begun by the first chunk: the log of a fork begins later than its reader may have asked. */
  #buckets: EnvelopeAccumulator | null = null;
  #evals: EvalPoint[] = [];
  #taken: number;

  constructor(every: number, from: number) {
    this.#every = every;
    this.#taken = from;
  }

  get size(): number {
    return (this.#buckets?.size ?? 0) + (this.#evals.length >= MOST_EVALS ? this.#evals.length : 0);
  }

  push({ from, lr, loss, evals }: MetricChunk): void {
    this.#buckets ??= new EnvelopeAccumulator(this.#every, from);
    this.#buckets.push(lr, loss);
    this.#evals.push(...evals);
  }

  take(all: boolean): Message | null {
    const envelope = this.#buckets?.take(all) ?? null;
    if (envelope === null) {
      return this.#evals.length < MOST_EVALS ? null : evalsMessage(this.#evals.splice(0), this.#taken);
    }
    this.#taken = envelope.to;
    // Those after its last step wait for theirs, so that a reader who resumes from `to` misses none.
    const due = this.#evals.filter(({ step }) => step <= envelope.to);
    this.#evals = this.#evals.slice(due.length);
    return envelopeMessage(envelope, due);
  }
}
