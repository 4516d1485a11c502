import type { Telemetry } from "bullmq";
import type { Redis } from "ioredis";
import { QUEUE_NAMES, type QueueName } from "../schemas/record-kinds.js";
import { Housekeeping, type HousekeepingOptions } from "./housekeeping.js";
import { JobQueues } from "./job-queues.js";
import { type PlacesOf, RunQueue } from "./run-queue.js";
import { type Attempt, WorkerHost } from "./worker-host.js";

/** How the jobs of one queue are done. */
export interface QueueWork {
  /** Jobs worked on at once. */
  readonly concurrency: number;
  readonly attempt: Attempt;
}

export interface QueueWorkerOptions extends Omit<HousekeepingOptions, "jobs" | "unpark" | "onError"> {
  /** Patient connection; stays the caller's to close. */
  readonly connection: Redis;
  readonly prefix: string;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  /** Off: undefined. */
  readonly telemetry: Telemetry | undefined;
  /** As of the RunQueue. */
  readonly placesOf: PlacesOf;
  /** Given the way to enqueue further jobs. */
  readonly work: (jobs: Pick<JobQueues, "enqueue">) => Readonly<Record<QueueName, QueueWork>>;
  /** As in HousekeepingOptions. */
  readonly unpark: (jobs: Pick<JobQueues, "enqueue">) => Promise<void>;
  readonly onError: (error: unknown, where: "queue" | "housekeeping") => void;
}

/** Takes jobs from every queue, and keeps house meanwhile. */
export class QueueWorker {
  readonly #queues: readonly RunQueue[];
  readonly #hosts: readonly WorkerHost[];
  readonly #housekeeping: Housekeeping;

  /** It works from now on. */
  constructor(options: QueueWorkerOptions) {
    const {
      connection,
      prefix,
      lockDurationMs,
      stalledIntervalMs,
      telemetry,
      work,
      unpark,
      placesOf,
      onError,
      ...housekeeping
    } = options;
    const queueOf = (name: QueueName) => new RunQueue(connection, prefix, name, telemetry, placesOf);
    const queues = Object.fromEntries(QUEUE_NAMES.map((name) => [name, queueOf(name)]));
    const jobs = new JobQueues(queues as Record<QueueName, RunQueue>);
    this.#queues = Object.values(queues);
    const works = work(jobs);
    this.#hosts = QUEUE_NAMES.map(
      (queue) =>
        new WorkerHost({
          ...{ queue, connection, prefix, lockDurationMs, stalledIntervalMs, telemetry, placesOf, ...works[queue] },
          onError: (error) => onError(error, "queue"),
        }),
    );
    this.#housekeeping = new Housekeeping({
      ...{ ...housekeeping, jobs },
      unpark: () => unpark(jobs),
      onError: (error) => onError(error, "housekeeping"),
    });
    this.#housekeeping.start();
  }

  /** Ends in order: takes no further job, has those under way handed back by `abort`, and waits for them. */
  async close(abort: () => void): Promise<void> {
    this.#housekeeping.stop();
    await Promise.all(this.#hosts.map((host) => host.pause()));
    abort();
    await Promise.all(this.#hosts.map((host) => host.close()));
    await Promise.all(this.#queues.map((queue) => queue.close()));
  }
}
