import { LIMITS } from "../spec/limits.js";
import type { MetricChunk } from "../spec/metrics.js";
import type { RunResult, RunSpec, RunStatus } from "../spec/run.js";
import { type AnnealRedis, COMMAND_TIMEOUT_MS, type CommitReply } from "./connect.js";
import { checkpointKey, labelKey, RUNS_KEY, runKey, statusKey } from "./keys.js";
import { encodeColumns } from "./log.js";

/** The run record as stored; times in milliseconds since 1970 by Redis's clock. */
export interface RunRecord {
  readonly id: string;
  readonly spec: RunSpec;
  readonly status: RunStatus;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Steps whose metrics are stored. */
  readonly committed: number;
  readonly stepsPerSecond: number | null;
  readonly pauseRequested: boolean;
  readonly attempts: number;
  readonly engineBuild: string | null;
  readonly reason: string | null;
  readonly result: RunResult | null;
}

/** What an attempt holds on to: every write names the fence, and is refused once another attempt has raised it. */
export interface Claim {
  readonly id: string;
  readonly fence: string;
  readonly record: RunRecord;
  readonly checkpoint: Checkpoint | null;
}

export interface Checkpoint {
  /** The loop's state, plain JSON. */
  readonly loop: unknown;
  /** The engine's bytes. */
  readonly engine: Uint8Array;
}

export interface ListQuery {
  readonly status?: RunStatus | undefined;
  readonly label?: string | undefined;
  /** The last id of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** The runs in Redis. Methods are single atomic steps unless they say otherwise; null means: no such run. */
export class RunStore {
  readonly #redis: AnnealRedis;

  constructor(redis: AnnealRedis) {
    this.#redis = redis;
  }

  /**
   * Stores a queued run. Nothing is stored when the answer would come too late for the client that asked ("late"), or when
   * too many runs are waiting ("full").
   */
  async create(id: string, spec: RunSpec): Promise<RunRecord | "late" | "full"> {
    const [seconds, micros] = (await this.#redis.time()) as unknown as [number, number];
    const deadline = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) + COMMAND_TIMEOUT_MS;
    const labels = spec.labels.map(labelKey);
    const text = JSON.stringify(spec);
    const reply = await this.#redis.annealCreate(labels.length, ...labels, id, text, deadline, LIMITS.waitingRuns);
    if (reply === "late" || reply === "full") return reply;
    return toRecord({ id, spec: text, status: "queued", createdAt: reply, committed: "0", attempts: "0" });
  }

  async get(id: string): Promise<RunRecord | null> {
    const hash = await this.#redis.hgetall(runKey(id));
    return hash.id === undefined ? null : toRecord(hash);
  }

  /** Newest first. Not atomic: a run created meanwhile may be missing. */
  async list({ status, label, after, limit }: ListQuery): Promise<RunRecord[]> {
    const index = status !== undefined ? statusKey(status) : label !== undefined ? labelKey(label) : RUNS_KEY;
    const records: RunRecord[] = [];
    let upper = after === undefined ? "+" : `(${after}`;
    while (records.length < limit) {
      const ids = await this.#redis.zrevrangebylex(index, upper, "-", "LIMIT", 0, limit);
      for (const record of await this.#getAll(ids)) {
        const matches = (status ?? record.status) === record.status;
        if (matches && (label === undefined || record.spec.labels.includes(label))) records.push(record);
      }
      if (ids.length < limit) break;
      upper = `(${ids.at(-1)!}`;
    }
    return records.slice(0, limit);
  }

  async #getAll(ids: readonly string[]): Promise<RunRecord[]> {
    const hashes = await Promise.all(ids.map((id) => this.#redis.hgetall(runKey(id))));
    return hashes.filter((hash) => hash.id !== undefined).map(toRecord);
  }

  /**
   * Takes the run for one attempt; `token` is unique to it. When there is nothing to do, says why: the run is gone,
   * paused or over.
   */
  async claim(id: string, token: string, crashLimit: number): Promise<Claim | { readonly refused: string }> {
    const [outcome, fence] = await this.#redis.annealClaim(id, token, crashLimit);
    if (outcome !== "claimed") return { refused: outcome };
    const [record, checkpoint] = await Promise.all([this.get(id), this.#redis.hgetallBuffer(checkpointKey(id))]);
    if (record === null) return { refused: "gone" };
    const { loop, engine } = checkpoint;
    return {
      id,
      fence: fence!,
      record,
      checkpoint: loop === undefined ? null : { loop: JSON.parse(loop.toString()), engine: new Uint8Array(engine!) },
    };
  }

  /** The one commit. On any answer but "continue" the attempt must end: the run is no longer its own to train. */
  async commit(
    claim: Claim,
    chunk: MetricChunk,
    checkpoint: Checkpoint,
    stepsPerSecond: number,
  ): Promise<Exclude<CommitReply, "gap">> {
    const reply = await this.#redis.annealCommit(
      claim.id,
      claim.fence,
      chunk.from,
      chunk.lr.length,
      encodeColumns(chunk),
      chunk.evals.length === 0 ? "" : JSON.stringify(chunk.evals),
      JSON.stringify(checkpoint.loop),
      Buffer.from(checkpoint.engine.buffer, checkpoint.engine.byteOffset, checkpoint.engine.byteLength),
      Math.round(stepsPerSecond * 10) / 10,
      chunk.replicas?.length ?? 0,
    );
    if (reply === "gap")
      throw new Error(`run ${claim.id}: a chunk from step ${chunk.from} does not follow the last commit`);
    return reply;
  }

  /** Ends the run; a cancel that came first wins. Returns the status it has now, or "stale". */
  async finish(claim: Claim, status: RunStatus, reason: string | null, result: RunResult | null): Promise<string> {
    return this.#redis.annealFinish(
      claim.id,
      claim.fence,
      status,
      reason ?? "",
      result === null ? "" : JSON.stringify(result),
    );
  }

  /** Hands the run back unfinished; another attempt goes on from the last commit. */
  async release(claim: Claim): Promise<string> {
    return this.#redis.annealRelease(claim.id, claim.fence);
  }

  async noteEngineBuild(claim: Claim, build: string): Promise<void> {
    await this.#redis.annealNote(claim.id, claim.fence, "engineBuild", build);
  }

  /** Returns the status now: canceled, canceling (a worker will see it at its next commit), or the terminal one it had. */
  async cancel(id: string): Promise<RunStatus | null> {
    return (await this.#redis.annealCancel(id)) as RunStatus | null;
  }

  async pause(id: string): Promise<"ok" | "gone" | "conflict"> {
    return this.#redis.annealPause(id);
  }

  /** "enqueue": the run needs a job of this epoch. */
  async resume(
    id: string,
  ): Promise<{ readonly outcome: "enqueue" | "ok" | "gone" | "conflict"; readonly epoch: number }> {
    const [outcome, epoch] = await this.#redis.annealResume(id);
    return { outcome, epoch: Number(epoch ?? 0) };
  }

  /** Refused ("conflict") while a worker may hold the run. */
  async delete(id: string): Promise<"deleted" | "gone" | "conflict"> {
    const record = await this.get(id);
    if (record === null) return "gone";
    const labels = record.spec.labels.map(labelKey);
    return this.#redis.annealDelete(labels.length, ...labels, id);
  }

  /** Runs that should have a job: their ids with the job's epoch. For the reconciler. */
  async unfinished(): Promise<{ id: string; epoch: number }[]> {
    const statuses: RunStatus[] = ["queued", "running", "canceling"];
    const ids = (await Promise.all(statuses.map((status) => this.#redis.zrange(statusKey(status), "0", "-1")))).flat();
    const epochs = await Promise.all(ids.map((id) => this.#redis.hget(runKey(id), "epoch")));
    return ids.flatMap((id, i) => (epochs[i] == null ? [] : [{ id, epoch: Number(epochs[i]) }]));
  }

  /** The epoch of the new job that an ownerless run needs; null when it needs none any more. */
  async requeue(id: string, epoch: number): Promise<number | null> {
    const next = await this.#redis.annealRequeue(id, String(epoch));
    return next === null ? null : Number(next);
  }
}

function toRecord(hash: Record<string, string>): RunRecord {
  const number = (name: string) => (hash[name] === undefined ? null : Number(hash[name]));
  return {
    id: hash.id!,
    spec: JSON.parse(hash.spec!),
    status: hash.status as RunStatus,
    createdAt: Number(hash.createdAt),
    startedAt: number("startedAt"),
    finishedAt: number("finishedAt"),
    committed: Number(hash.committed),
    stepsPerSecond: number("stepsPerSecond"),
    pauseRequested: hash.pauseRequested !== undefined,
    attempts: Number(hash.attempts),
    engineBuild: hash.engineBuild ?? null,
    reason: hash.reason ?? null,
    result: hash.result === undefined ? null : JSON.parse(hash.result),
  };
}
