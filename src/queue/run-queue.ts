import { Queue } from "bullmq";
import type { Redis } from "ioredis";

/** Searches have a queue of their own: they wait for runs, and must not take a run's place while they do. */
export type QueueName = "runs" | "searches";
/** BullMQ's keys all begin with this. */
export const QUEUE_PREFIX = "anneal:queue";

/** The id of a run or search and nothing else: the truth is in its record. */
export interface RunJob {
  readonly id: string;
}

/** Producer side. A job is named by its run's id and epoch, so that enqueueing twice makes one job. */
export class RunQueue {
  readonly #queue: Queue<RunJob>;

  /** `connection` stays the caller's to close. */
  constructor(connection: Redis, name: QueueName = "runs") {
    this.#queue = new Queue(name, { connection, prefix: QUEUE_PREFIX });
    // Without a listener a lost connection would end the process; commands report it to their callers.
    this.#queue.on("error", () => {});
  }

  async enqueue(id: string, epoch: number): Promise<void> {
    const options = { jobId: jobId(id, epoch), removeOnComplete: true, removeOnFail: true };
    await this.#queue.add("attempt", { id }, options);
  }

  async has(id: string, epoch: number): Promise<boolean> {
    return (await this.#queue.getJob(jobId(id, epoch))) !== undefined;
  }

  /** Jobs by state, for metrics. */
  async counts(): Promise<Record<string, number>> {
    return this.#queue.getJobCounts("waiting", "active", "delayed");
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}

function jobId(id: string, epoch: number): string {
  return `${id}-${epoch}`;
}
