import { Queue } from "bullmq";
import type { Redis } from "ioredis";

export const QUEUE_NAME = "runs";
/** BullMQ's keys all begin with this. */
export const QUEUE_PREFIX = "anneal:queue";

/** The run's id and nothing else: the truth about a run is its record. */
export interface RunJob {
  readonly runId: string;
}

/** Producer side. A run's job is named by its epoch, so that enqueueing twice makes one job. */
export class RunQueue {
  readonly #queue: Queue<RunJob>;

  /** `connection` stays the caller's to close. */
  constructor(connection: Redis) {
    this.#queue = new Queue(QUEUE_NAME, { connection, prefix: QUEUE_PREFIX });
    // Without a listener a lost connection would end the process; commands report it to their callers.
    this.#queue.on("error", () => {});
  }

  async enqueue(runId: string, epoch: number): Promise<void> {
    const options = { jobId: jobId(runId, epoch), removeOnComplete: true, removeOnFail: true };
    await this.#queue.add("train", { runId }, options);
  }

  async has(runId: string, epoch: number): Promise<boolean> {
    return (await this.#queue.getJob(jobId(runId, epoch))) !== undefined;
  }

  /** Removes a waiting job; an active one ends by itself, as its run's record says. */
  async remove(runId: string, epoch: number): Promise<void> {
    await this.#queue.remove(jobId(runId, epoch));
  }

  /** Jobs by state, for metrics. */
  async counts(): Promise<Record<string, number>> {
    return this.#queue.getJobCounts("waiting", "active", "delayed");
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}

function jobId(runId: string, epoch: number): string {
  return `${runId}-${epoch}`;
}
