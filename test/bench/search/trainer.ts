import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { childSpec } from "../../../src/core/resolve-search.js";
import { scheduleAt } from "../../../src/core/search/portfolio.js";
import type { RunSpec } from "../../../src/schemas/run.js";
import type { ScheduleRequestObject } from "../../../src/schemas/schedule.js";
import type { SearchSpec } from "../../../src/schemas/search.js";
import type { Job, JobResult } from "./train-worker.js";

interface Waiting {
  readonly job: Job;
  readonly resolve: (loss: number | null) => void;
}

const digest = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);

/**
 * Trains in worker threads, with the native kernel in process; keeps every validation loss in a file of `folder`, by all that
 * decides it but the engine's build: drop the folder when the numerics change.
 */
export class Trainer {
  readonly #run: RunSpec;
  readonly #file: string;
  readonly #losses = new Map<string, Promise<number | null>>();
  readonly #queue: Waiting[] = [];
  readonly #workers: Worker[];
  readonly #idle: Worker[];
  readonly #busy = new Map<number, Waiting>();
  #index = 0;

  /** `run`: what all trainings have in common. */
  constructor(run: RunSpec, folder: string, threads: number) {
    this.#run = run;
    mkdirSync(folder, { recursive: true });
    this.#file = join(folder, `${digest([run.model, run.batchSize, run.optimizer, run.dataset])}.jsonl`);
    if (existsSync(this.#file)) {
      for (const line of readFileSync(this.#file, "utf8").split("\n").filter(Boolean)) {
        const [key, loss] = JSON.parse(line);
        this.#losses.set(key, Promise.resolve(loss));
      }
    }
    this.#workers = Array.from({ length: threads }, () => this.#worker());
    this.#idle = [...this.#workers];
  }

  /** Validation loss in nats, null where it diverged, of a schedule with an open rate. `of`: steps that its own are meant for. */
  train(request: ScheduleRequestObject, lr: number, steps: number, of: number, seed: number): Promise<number | null> {
    const schedule = scheduleAt(request, lr, steps, of);
    if (!schedule.ok) throw new Error(`${request.type} at ${steps} steps: ${JSON.stringify(schedule.errors)}`);
    const key = `${digest(schedule.value)} ${steps} ${seed}`;
    const known = this.#losses.get(key);
    if (known !== undefined) return known;
    const spec = childSpec(this.#run, { schedule: schedule.value, steps, seed, replicas: 1 });
    const loss = new Promise<number | null>((resolve) => {
      this.#queue.push({ job: { index: this.#index++, spec }, resolve });
      this.#feed();
    });
    this.#losses.set(
      key,
      loss.then((value) => {
        appendFileSync(this.#file, `${JSON.stringify([key, value])}\n`);
        return value;
      }),
    );
    return this.#losses.get(key)!;
  }

  /** (seeds) losses at a horizon of the spec's own; Infinity: diverged. */
  async losses(spec: SearchSpec, schedule: string, lr: number, seeds: readonly number[]): Promise<number[]> {
    const { request } = spec.schedules.find(({ name }) => name === schedule)!;
    const { steps } = spec;
    const losses = await Promise.all(seeds.map((seed) => this.train(request, lr, steps, steps, seed)));
    return losses.map((loss) => loss ?? Number.POSITIVE_INFINITY);
  }

  close(): void {
    for (const worker of this.#workers) worker.terminate();
  }

  #worker(): Worker {
    const worker = new Worker(new URL("./train-worker.js", import.meta.url));
    worker.on("error", (error) => {
      throw error;
    });
    worker.on("message", ({ index, loss }: JobResult) => {
      const { resolve } = this.#busy.get(index)!;
      this.#busy.delete(index);
      this.#idle.push(worker);
      this.#feed();
      resolve(loss);
    });
    return worker;
  }

  #feed(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0) {
      const waiting = this.#queue.shift()!;
      this.#busy.set(waiting.job.index, waiting);
      this.#idle.pop()!.postMessage(waiting.job);
    }
  }
}
