import { setImmediate as otherWork } from "node:timers/promises";
import { Queue, type Telemetry } from "bullmq";
import type { Redis } from "ioredis";
import type { QueueName } from "../schemas/record-kinds.js";

/** The id of a run or search and nothing else: the truth is in its record. */
export interface RunJob {
  readonly id: string;
}

/** The places in the line (1: the first) of records' jobs. */
export type PlacesOf = (ids: readonly string[]) => Promise<number[]>;

/** Producer side. A job is named by its run's id and epoch, so that enqueueing twice makes one job. */
export class RunQueue {
  readonly #queue: Queue<RunJob>;
  readonly #connection: Redis;
  readonly #telemetry: Telemetry | undefined;
  readonly #placesOf: PlacesOf | undefined;
  #batch: Parameters<Queue<RunJob>["addBulk"]>[0] = [];
  #sent: Promise<void> | null = null;

  /**
   * `connection` stays the caller's to close; `prefix`: all of BullMQ's keys begin with it. `telemetry` carries the trace of who
   * enqueues to who takes the job. `placesOf`: a run's place in the line; without one, and in the other queues, whose jobs do
   * little but wait, they are taken as they come.
   */
  constructor(connection: Redis, prefix: string, name: QueueName = "runs", telemetry?: Telemetry, placesOf?: PlacesOf) {
    this.#placesOf = name === "runs" ? placesOf : undefined;
    this.#connection = connection;
    this.#telemetry = telemetry;
    // Its look at the server's version is taken once: where that times out, at a busy start, no job could ever be enqueued.
    const own = { prefix, skipVersionCheck: true };
    this.#queue = new Queue(name, { connection, ...own, ...(telemetry && { telemetry }) });
    // Without a listener a lost connection would end the process; commands report it to their callers.
    this.#queue.on("error", () => {});
  }

  /** What is enqueued in one turn of the event loop travels together. `first`: before all that wait. */
  enqueue(id: string, epoch: number, first = false): Promise<void> {
    const kept = { removeOnComplete: true, removeOnFail: true };
    const opts = { jobId: jobId(id, epoch), ...kept, ...(first && { lifo: true }), ...this.#trace() };
    this.#batch.push({ name: "attempt", data: { id }, opts });
    this.#sent ??= this.#send();
    return this.#sent;
  }

  /** The trace of who enqueues: jobs that travel together come from different ones. */
  #trace() {
    if (this.#telemetry === undefined) return {};
    const { contextManager } = this.#telemetry;
    return { telemetry: { metadata: contextManager.getMetadata(contextManager.active()) } };
  }

  async #send(): Promise<void> {
    await otherWork();
    const batch = this.#batch;
    this.#batch = [];
    this.#sent = null;
    const placesOf = this.#placesOf;
    if (placesOf === undefined) return void (await this.#queue.addBulk(batch));
    // Who comes first has waited already: BullMQ takes what has no priority before all else.
    const [first, inLine] = [batch.filter(({ opts }) => opts?.lifo), batch.filter(({ opts }) => !opts?.lifo)];
    const places = inLine.length === 0 ? [] : await placesOf(inLine.map(({ data }) => data.id));
    const placed = inLine.map(({ opts, ...job }, i) => ({ ...job, opts: { ...opts, priority: places[i]! } }));
    await this.#queue.addBulk([...first, ...placed]);
  }

  /** Those of them that have no job, in one round trip. */
  async missing<R extends { readonly id: string; readonly epoch: number }>(refs: readonly R[]): Promise<R[]> {
    const found = await Promise.all(
      refs.map(({ id, epoch }) => this.#connection.exists(this.#queue.toKey(jobId(id, epoch)))),
    );
    return refs.filter((_, i) => found[i] === 0);
  }

  /** Jobs by state, for metrics. */
  async counts(): Promise<Record<string, number>> {
    const {
      prioritized = 0,
      waiting = 0,
      ...others
    } = await this.#queue.getJobCounts(...(["waiting", "prioritized", "active", "delayed"] as const));
    return { waiting: waiting + prioritized, ...others };
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}

function jobId(id: string, epoch: number): string {
  return `${id}-${epoch}`;
}

/** The epoch in a job's id. */
export function epochOf(jobId: string): number {
  return Number(jobId.slice(jobId.lastIndexOf("-") + 1));
}
