import type { EvalPoint, MetricChunk } from "../schemas/metrics.js";
import type { StreamMessage } from "../schemas/stream.js";
import { AnnealError } from "./errors.js";
import type { CallOptions, Http, Query } from "./http.js";
import { listen } from "./socket.js";

type MessageOf<T extends StreamMessage["type"]> = Extract<StreamMessage, { readonly type: T }>;

/** Steps from `from` on: lr[i] and loss[i] (nats, NaN or infinite where it is not finite in the run) belong to step from + i. */
export type Metrics = { readonly type: "metrics" } & Omit<MetricChunk, "replicas">;
/** Buckets of `every` steps, which begin at multiples of it; columns have an entry a bucket. */
export type Envelope = Omit<MessageOf<"envelope">, "evals"> & { readonly evals: readonly EvalPoint[] };
/**
 * What a record is told of, as it goes on; `end` is the last. A `rollback` says that the store has lost steps
 * that were told; they are trained again to the same bytes, and not told again.
 */
export type Message = Metrics | Envelope | MessageOf<"progress" | "status" | "rollback" | "end">;

export interface FollowOptions extends CallOptions {
  /** The first step wanted, or of a search or experiment the first training; default 0. */
  readonly from?: number;
}

/** Of a run. */
export interface RunFollowOptions extends FollowOptions {
  /** Buckets of so many steps, with the loss's minimum, maximum and mean, instead of every step. */
  readonly every?: number;
  /** At most so many messages a second; nothing is left out, what comes faster is merged. */
  readonly maxHz?: number;
  /** Whether steps come as bytes, the default, or as JSON. */
  readonly binary?: boolean;
}

type Evaluation = MessageOf<"evals">["evals"][number];

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5000;

/**
 * All messages of a record over one WebSocket at a time, each step and each change once: after a cut, a restart of the server
 * or a sleep it goes on from what is missing. Ends after `end`, or when it is aborted; throws AnnealError where the service
 * refuses for good, as when there is no such record.
 */
export async function* follow(
  http: Http,
  path: string,
  { from = 0, binary = true, signal, every, maxHz }: RunFollowOptions = {},
): AsyncGenerator<Message> {
  const log = new Position(from);
  let delayMs = FIRST_DELAY_MS;
  while (!signal?.aborted) {
    const query: Query = { from: log.begin(), every, maxHz };
    let heard = false;
    for await (const data of listen(
      http.url(`${path}/stream`, query),
      PROTOCOLS[binary ? 1 : 0],
      http.headers,
      signal,
    )) {
      heard = true;
      const message = log.accept(typeof data === "string" ? (JSON.parse(data) as StreamMessage) : decode(data));
      // A hole: what is missing is asked for again.
      if (message === "hole") break;
      if (message === null) continue;
      yield message;
      if (message.type === "end") return;
    }
    if (signal?.aborted) return;
    if (heard) delayMs = FIRST_DELAY_MS;
    // A browser does not say why a socket was refused; the same question as events does.
    else await explain(http, `${path}/events`, query, signal);
    await pause(delayMs, signal);
    delayMs = Math.min(2 * delayMs, LONGEST_DELAY_MS);
  }
}

const PROTOCOLS = ["anneal.v1.json", "anneal.v1.binary"] as const;

/** A frame of the binary subprotocol, little-endian: docs/api.md has the layout. */
function decode(frame: ArrayBuffer): Metrics {
  const [, , from, count] = new Uint32Array(frame, 0, 4) as unknown as [number, number, number, number];
  const lr = new Float64Array(frame, 16, count);
  return { type: "metrics", from, lr, loss: new Float32Array(frame, 16 + 8 * count, count), evals: [] };
}

/** How far a reader is, over all its sockets, and what of a message is new to it. */
class Position {
  /** The step to go on from. */
  next: number;
  readonly #from: number;
  /** Evaluations go up in their steps: the last one's that was given. */
  #evaluated = -1;
  /** Those of the message that follows; where that is lost, the next socket tells them again. */
  #evals: Evaluation[] = [];
  /** Changes of status at `next`: they are told again with each socket. */
  #told = new Set<string>();

  constructor(from: number) {
    this.next = this.#from = from;
  }

  /** The step from which a new socket goes on. */
  begin(): number {
    this.#evals = [];
    return this.next;
  }

  /** null: nothing in it is new; "hole": something before it is missing. */
  accept(message: StreamMessage | Metrics): Message | null | "hole" {
    switch (message.type) {
      case "metrics": {
        const { from, lr, loss } = message;
        if (!this.#move(from, from + lr.length)) return "hole";
        return {
          type: "metrics",
          from,
          lr: Float64Array.from(lr),
          loss: Float32Array.from(loss as number[], (value: number | null) => value ?? Number.NaN),
          evals: this.#due(message.evals),
        };
      }
      case "envelope":
        if (!this.#move(message.from, message.to)) return "hole";
        return { ...message, evals: this.#due(message.evals) };
      case "evals":
        this.#evals.push(...message.evals);
        return null;
      case "progress":
        // Of trainings, which are told one by one, or some at once.
        if (message.done <= this.next) return null;
        this.#reach(message.done);
        return message;
      case "status": {
        const key = `${message.status} ${message.step} ${message.at}`;
        if (this.#told.has(key)) return null;
        this.#told.add(key);
        return message;
      }
      case "rollback":
        // What was had stays right, and is not sent again.
        return null;
      default:
        return message;
    }
  }

  /** The log of a fork begins later than a reader may have asked: only what is missing after something was had is a hole. */
  #move(from: number, to: number): boolean {
    if (from !== this.next && !(from > this.next && this.next === this.#from)) return false;
    this.#reach(to);
    return true;
  }

  #reach(step: number): void {
    this.next = step;
    this.#told.clear();
  }

  /** The evaluations that belong to a message, without those that were given before. */
  #due(evals: readonly Evaluation[] = []): EvalPoint[] {
    const due = [...this.#evals, ...evals].filter(({ step }) => step > this.#evaluated);
    this.#evals = [];
    this.#evaluated = due.at(-1)?.step ?? this.#evaluated;
    return due.map(({ step, validationLoss }) => ({ step, validationLoss: validationLoss ?? Number.NaN }));
  }
}

/** Throws why a stream is refused, where that is for good; what will pass is waited for. */
async function explain(http: Http, path: string, query: Query, signal: AbortSignal | undefined): Promise<void> {
  try {
    const { body } = await http.send(path, { query }, { signal });
    await body?.cancel();
  } catch (error) {
    if (error instanceof AnnealError && !error.retryable) throw error;
  }
}

/** Ended early by an abort, or by news that there is a network again. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const target = globalThis as unknown as Partial<EventTarget>;
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      target.removeEventListener?.("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    target.addEventListener?.("online", done);
  });
}
