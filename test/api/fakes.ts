import pino from "pino";
import type { Origin, Producer } from "../../src/api/runs/create-record.js";
import type { LoopState } from "../../src/core/train.js";
import type { ProblemCode, ProblemError } from "../../src/schemas/problem.js";
import type { RunSpec } from "../../src/schemas/run.js";
import { DEFAULT_TENANT } from "../../src/schemas/tenant.js";
import type { CreateOptions, Creation, RunRecord, StoredRecord, Uncreated } from "../../src/store/contract.js";

export const ORIGIN: Origin = {
  id: "0".repeat(32),
  log: pino({ level: "silent" }),
  tenant: DEFAULT_TENANT,
  own: { quotas: null as never },
};
export const NO_WORKERS = { workers: async () => [] };
export const NO_DATASETS = { get: async () => null };

/** Records in memory; what was created with, and what was taken back. */
export class MemoryRecords<Spec, R extends StoredRecord<Spec>> {
  readonly records = new Map<string, R>();
  readonly creations: CreateOptions[] = [];
  readonly canceled: string[] = [];
  readonly deleted: string[] = [];
  /** What the next creates do instead of storing: in order. */
  readonly refusals: (Uncreated | Error)[] = [];
  #onDeleted = (_id: string) => {};
  /** Resolves with the id that is deleted first. */
  readonly firstDeleted = new Promise<string>((resolve) => {
    this.#onDeleted = resolve;
  });

  createAll = async (
    creations: readonly Creation<Spec>[],
    { traceId }: Pick<CreateOptions, "traceId">,
  ): Promise<R[] | Uncreated> => {
    const refusal = this.refusals.shift();
    for (const { id: _, spec: __, ...options } of creations) this.creations.push({ ...options, traceId });
    if (refusal instanceof Error) throw refusal;
    return refusal ?? creations.map((creation) => this.#create(creation, traceId));
  };

  #create({ id, spec, ...options }: Creation<Spec>, traceId: string): R {
    const times = { createdAt: 0, startedAt: null, finishedAt: null };
    const fresh = {
      id,
      spec,
      status: "queued",
      ...times,
      committed: options.fork?.step ?? 0,
      attempts: 0,
      reason: null,
    };
    const { advice = null, waitsFor = null } = options;
    const record = { ...fresh, traceId, waitsFor, advice } as unknown as R;
    this.records.set(id, record);
    return record;
  }

  get = async (id: string): Promise<R | null> => this.records.get(id) ?? null;

  cancel = async (id: string): Promise<"canceled"> => {
    this.canceled.push(id);
    return "canceled";
  };

  delete = async (id: string): Promise<"deleted"> => {
    this.deleted.push(id);
    this.#onDeleted(id);
    return "deleted";
  };
}

/** Runs, of which checkpoints may be forked. */
export class MemoryRuns extends MemoryRecords<RunSpec, RunRecord> {
  /** By step, of any run; the last one is the latest. */
  loops: LoopState[] = [];

  loopAt = async (_id: string, step?: number): Promise<LoopState | null> =>
    (step === undefined ? this.loops.at(-1) : this.loops.find((loop) => loop.step === step)) ?? null;

  keptSteps = async (): Promise<number[]> => this.loops.map(({ step }) => step);
}

/** A queue that notes its jobs, once it has failed so many times. */
export class MemoryQueue implements Producer {
  readonly jobs: [id: string, epoch: number][] = [];
  #failures: number;
  #onJob = () => {};
  readonly firstJob = new Promise<void>((resolve) => {
    this.#onJob = resolve;
  });

  constructor(failures = 0) {
    this.#failures = failures;
  }

  enqueue = async (id: string, epoch: number): Promise<void> => {
    if (this.#failures-- > 0) throw new Error("Connection is closed");
    this.jobs.push([id, epoch]);
    this.#onJob();
  };
}

/** For assert.rejects: a ProblemError of this code, about this field if one is named. */
export const problem = (code: ProblemCode, pointer?: string) => (error: ProblemError) =>
  error.code === code && error.errors?.[0]?.pointer === pointer;
