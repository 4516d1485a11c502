import { DelayedError, type Job, type Telemetry, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { QueueName } from "../schemas/record-kinds.js";
import { epochOf, type PlacesOf, type RunJob } from "./run-queue.js";

/**
 * One attempt at a record; "released" hands its job back to the queue, "later" too, but it rests a moment, and "yielded" to
 * a new place in the line. `place`: that it had; 0: none.
 */
export type Attempt = (id: string, epoch: number, place: number) => Promise<"released" | "over" | "later" | "yielded">;

/** Of a job that this worker has no room for: another may have, or this one by then. */
const REST_MS = 500;

export interface WorkerHostOptions {
  readonly queue: QueueName;
  /** Patient connection; stays the caller's to close. */
  readonly connection: Redis;
  /** As of the RunQueue. */
  readonly prefix: string;
  /** Jobs worked on at once. */
  readonly concurrency: number;
  /**
   * Milliseconds that a job stays locked without renewal, and between looks for jobs whose lock ran out. After kill -9 a run
   * goes on within about the sum of both. Short recovers fast; too short calls a busy worker dead.
   */
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  readonly attempt: Attempt;
  /** As of the RunQueue. */
  readonly placesOf?: PlacesOf | undefined;
  readonly telemetry: Telemetry | undefined;
  readonly onError: (error: Error) => void;
}

/** Consumer side: takes jobs and keeps their locks while `attempt` works, on this thread's event loop, elsewhere. */
export class WorkerHost {
  readonly #worker: Worker<RunJob>;

  constructor({
    queue,
    connection,
    prefix,
    concurrency,
    lockDurationMs,
    stalledIntervalMs,
    attempt,
    placesOf,
    telemetry,
    onError,
  }: WorkerHostOptions) {
    const process = async (job: Job<RunJob>, token?: string) => {
      const outcome = await attempt(job.data.id, epochOf(job.id!), job.priority);
      if (outcome === "over") return;
      if (outcome === "later") {
        await job.moveToDelayed(Date.now() + REST_MS, token);
        throw new DelayedError();
      }
      if (outcome === "yielded" && placesOf !== undefined)
        await job.changePriority({ priority: (await placesOf([job.data.id]))[0]! });
      // The queue's own way to give a job back: it waits first in line, and no attempt is counted.
      await job.moveToWait(token);
      throw new WaitingError();
    };
    this.#worker = new Worker(queue, process, {
      connection,
      prefix,
      concurrency,
      lockDuration: lockDurationMs,
      stalledInterval: stalledIntervalMs,
      // Crashes are counted in the run's record, and only those without progress: see CRASH_LIMIT in src/train.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      drainDelay: 5,
      // After Redis was away; by default 15 s.
      runRetryDelay: 1000,
      ...(telemetry && { telemetry }),
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
