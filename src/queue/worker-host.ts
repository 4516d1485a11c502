import { type Job, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { QUEUE_NAME, QUEUE_PREFIX, type RunJob } from "./run-queue.js";

export interface WorkerHostOptions {
  /** Patient connection; stays the caller's to close. */
  readonly connection: Redis;
  /** Runs trained at once. */
  readonly concurrency: number;
  /**
   * Milliseconds that a job stays locked without renewal, and between looks for jobs whose lock ran out. After kill -9 a run
   * goes on within about the sum of both. Short recovers fast; too short calls a busy worker dead.
   */
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  /** Trains a run; "released" hands its job back to the queue. */
  readonly train: (runId: string) => Promise<"released" | "over">;
  readonly onError: (error: Error) => void;
}

/** Consumer side: takes jobs and keeps their locks while `train` works, on this thread's event loop, elsewhere. */
export class WorkerHost {
  readonly #worker: Worker<RunJob>;

  constructor({ connection, concurrency, lockDurationMs, stalledIntervalMs, train, onError }: WorkerHostOptions) {
    const process = async (job: Job<RunJob>, token?: string) => {
      if ((await train(job.data.runId)) === "over") return;
      // The queue's own way to give a job back: it waits first in line, and no attempt is counted.
      await job.moveToWait(token);
      throw new WaitingError();
    };
    this.#worker = new Worker(QUEUE_NAME, process, {
      connection,
      prefix: QUEUE_PREFIX,
      concurrency,
      lockDuration: lockDurationMs,
      stalledInterval: stalledIntervalMs,
      // Crashes are counted in the run's record, and only those without progress: see CRASH_LIMIT in src/train.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      drainDelay: 5,
    });
    this.#worker.on("error", onError);
  }

  /** Takes no further job. */
  async pause(): Promise<void> {
    await this.#worker.pause(true);
  }

  /** Waits for the jobs under way: end them first. Idempotent. */
  async close(): Promise<void> {
    await this.#worker.close();
  }
}
