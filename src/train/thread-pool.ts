import { Worker } from "node:worker_threads";
import type { StoredRates } from "../store/contract.js";
import type { TrainingEvent } from "./events.js";
import type { TrainingOutcome } from "./run-training.js";

export interface ThreadData {
  readonly redisUrl: string;
  readonly redisReplicas: number;
  readonly logRates: StoredRates;
  readonly logLevel: string;
  /** The name of this worker process. */
  readonly worker: string;
}
export type ToThread =
  | { readonly type: "run"; readonly runId: string; readonly epoch: number }
  | { readonly type: "abort" };
export type ToPool =
  | { readonly type: "event"; readonly event: TrainingEvent }
  | { readonly type: "done"; readonly outcome: TrainingOutcome }
  | { readonly type: "failed"; readonly message: string };

interface Slot {
  readonly thread: Worker;
  busy: {
    resolve(outcome: TrainingOutcome): void;
    reject(error: Error): void;
    readonly onEvent: ((event: TrainingEvent) => void) | undefined;
    readonly runId: string;
  } | null;
}

/** A fixed number of training threads; a thread that dies is replaced when the next run needs it. */
export class ThreadPool {
  readonly #module: URL;
  readonly #data: ThreadData;
  readonly #slots = new Set<Slot>();
  #closing = false;

  /**
   * `module`: what a thread runs; it answers each ToThread with ToPool. `ready`: threads to start at once, so that the first
   * runs need not wait for them.
   */
  constructor(module: URL, data: ThreadData, ready = 0) {
    this.#module = module;
    this.#data = data;
    for (let i = 0; i < ready; i++) this.#spawn();
  }

  /** Trains a run on an idle thread, or on a new one; the caller bounds how many run at once. */
  run(runId: string, epoch: number, onEvent?: (event: TrainingEvent) => void): Promise<TrainingOutcome> {
    if (this.#closing) return Promise.resolve("released");
    const slot = [...this.#slots].find(({ busy }) => busy === null) ?? this.#spawn();
    return new Promise((resolve, reject) => {
      slot.busy = { resolve, reject, onEvent, runId };
      slot.thread.postMessage({ type: "run", runId, epoch } satisfies ToThread);
    });
  }

  /** Asks one run to commit and hand itself back. */
  release(runId: string): void {
    for (const { busy, thread } of this.#slots)
      if (busy?.runId === runId) thread.postMessage({ type: "abort" } satisfies ToThread);
  }

  /** How many runs are trained now. */
  get busy(): number {
    return [...this.#slots].filter(({ busy }) => busy !== null).length;
  }

  #spawn(): Slot {
    const slot: Slot = {
      thread: new Worker(this.#module, { workerData: this.#data }),
      busy: null,
    };
    this.#slots.add(slot);
    const settle = (how: (busy: NonNullable<Slot["busy"]>) => void) => {
      const { busy } = slot;
      slot.busy = null;
      if (busy !== null) how(busy);
    };
    slot.thread.on("message", (message: ToPool) => {
      if (message.type === "event") slot.busy?.onEvent?.(message.event);
      if (message.type === "done") settle(({ resolve }) => resolve(message.outcome));
      if (message.type === "failed") settle(({ reject }) => reject(new Error(message.message)));
    });
    slot.thread.on("error", (error) => settle(({ reject }) => reject(error as Error)));
    slot.thread.on("exit", (code) => {
      this.#slots.delete(slot);
      settle(({ reject }) => reject(new Error(`a training thread ended with code ${code}`)));
    });
    return slot;
  }

  /** Asks the runs under way to commit and hand themselves back; new ones are handed back at once. */
  abort(): void {
    this.#closing = true;
    for (const slot of this.#slots)
      if (slot.busy !== null) slot.thread.postMessage({ type: "abort" } satisfies ToThread);
  }

  /** Ends the threads, whatever they do. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#slots].map(({ thread }) => thread.terminate()));
  }
}
