import { BUILT_IN_DATASET } from "../schemas/dataset.js";
import { LIMITS } from "../schemas/limits.js";
import { type RunSpec, type RunStatus, TERMINAL_STATUSES } from "../schemas/run.js";
import { RedisClock } from "./clock.js";
import { type AnnealRedis, COMMAND_TIMEOUT_MS } from "./connect.js";
import { datasetUsersKey, labelKey, runKey, statusKey } from "./keys.js";
import { patiently } from "./patience.js";

/** What runs and searches have in common as stored; times in milliseconds since 1970 by Redis's clock. */
export interface StoredRecord<Spec> {
  readonly id: string;
  readonly spec: Spec;
  readonly status: RunStatus;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Position in the log: of a run, steps whose metrics are stored; of a search, tasks done. */
  readonly committed: number;
  readonly attempts: number;
  readonly reason: string | null;
  /** Of the request that made it, 32 hexadecimal digits: in the logs of every process that has to do with it. */
  readonly traceId: string;
}

/** What an attempt holds on to: every write names the fence, and is refused once another attempt has raised it. */
export interface Claim<Record> {
  readonly id: string;
  readonly fence: string;
  readonly record: Record;
}

export interface ListQuery {
  readonly status?: RunStatus | undefined;
  readonly label?: string | undefined;
  /** By name. */
  readonly dataset?: string | undefined;
  /** The last id of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** What a record may begin with. */
export interface Birth {
  readonly traceId: string;
  /** The search whose answer completes the spec; no job is due until then. */
  readonly waitsFor?: string;
  /** The checkpoint of another run, which is copied, and the state of the loop to go with it. */
  readonly fork?: { readonly run: string; readonly step: number; readonly loop: unknown };
}

const UNCREATED = ["late", "full", "no-dataset", "no-checkpoint"] as const;
/** Why nothing was created. */
export type Uncreated = (typeof UNCREATED)[number];

interface Labelled {
  readonly labels: readonly string[];
}

/**
 * Records with a status, an owner and a log. Methods are single atomic steps unless they say otherwise; null means: there is
 * no such record.
 */
export abstract class RecordStore<Spec extends Labelled, R extends StoredRecord<Spec>> {
  protected readonly redis: AnnealRedis;
  readonly #clock: RedisClock;
  readonly #index: string;
  readonly #idPrefix: string;

  /** `index`: key of the set of all ids; `idPrefix`: what they begin with. */
  constructor(redis: AnnealRedis, index: string, idPrefix: string) {
    this.redis = redis;
    this.#clock = new RedisClock(redis);
    this.#index = index;
    this.#idPrefix = idPrefix;
  }

  protected abstract toRecord(hash: Record<string, string>): R;

  /** The dataset that it pins for as long as it exists. */
  protected abstract datasetOf(spec: Spec): RunSpec["dataset"];

  #indexes(spec: Spec): string[] {
    return [this.#index, datasetUsersKey(this.datasetOf(spec).name), ...spec.labels.map(labelKey)];
  }

  /**
   * Stores a queued record. Nothing is stored when the answer would come too late for the client that asked ("late"), when
   * too many are waiting ("full"), when its dataset has another text by now ("no-dataset"), or when the checkpoint to begin
   * with is not there ("no-checkpoint").
   */
  async create(id: string, spec: Spec, { traceId, waitsFor, fork }: Birth): Promise<R | Uncreated> {
    const deadline = (await this.#clock.now()) + COMMAND_TIMEOUT_MS;
    const indexes = this.#indexes(spec);
    const text = JSON.stringify(spec);
    const { name, digest } = this.datasetOf(spec);
    const pinned = name === BUILT_IN_DATASET ? "" : digest;
    const args = [id, text, deadline, LIMITS.waitingRuns, waitsFor ?? "", name, pinned, traceId];
    if (fork !== undefined) args.push(fork.run, fork.step, JSON.stringify(fork.loop));
    const reply = await this.redis.annealCreate(indexes.length, ...indexes, ...args);
    if (UNCREATED.includes(reply as Uncreated)) return reply as Uncreated;
    const committed = String(fork?.step ?? 0);
    const fresh = { id, spec: "null", status: "queued", createdAt: reply, committed, attempts: "0", traceId };
    return { ...this.toRecord(waitsFor === undefined ? fresh : { ...fresh, waitsFor }), spec };
  }

  async get(id: string): Promise<R | null> {
    const hash = await this.redis.hgetall(runKey(id));
    return hash.id === undefined ? null : this.toRecord(hash);
  }

  /** Newest first. Not atomic: a record created meanwhile may be missing. */
  async list({ status, label, dataset, after, limit }: ListQuery): Promise<R[]> {
    const index =
      status !== undefined
        ? statusKey(status)
        : label !== undefined
          ? labelKey(label)
          : dataset !== undefined
            ? datasetUsersKey(dataset)
            : this.#index;
    const records: R[] = [];
    let upper = after === undefined ? `(${this.#idPrefix}~` : `(${after}`;
    while (records.length < limit) {
      const ids = await this.redis.zrevrangebylex(index, upper, `[${this.#idPrefix}`, "LIMIT", 0, limit);
      for (const record of await this.#getAll(ids)) {
        const { name } = this.datasetOf(record.spec);
        const matches = (status ?? record.status) === record.status && (dataset ?? name) === name;
        if (matches && (label === undefined || record.spec.labels.includes(label))) records.push(record);
      }
      if (ids.length < limit) break;
      upper = `(${ids.at(-1)!}`;
    }
    return records.slice(0, limit);
  }

  async #getAll(ids: readonly string[]): Promise<R[]> {
    const hashes = await Promise.all(ids.map((id) => this.redis.hgetall(runKey(id))));
    return hashes.filter((hash) => hash.id !== undefined).map((hash) => this.toRecord(hash));
  }

  /**
   * Takes the record for one attempt; `token` is unique to it, `epoch` is that of its job. When there is nothing to do, says why: it is gone, paused or
   * over.
   */
  async claim(
    id: string,
    token: string,
    crashLimit: number,
    epoch: number,
  ): Promise<Claim<R> | { readonly refused: string }> {
    const [outcome, fence] = await patiently(() => this.redis.annealClaim(id, token, crashLimit, epoch));
    if (outcome !== "claimed") return { refused: outcome };
    const record = await this.get(id);
    return record === null ? { refused: "gone" } : { id, fence: fence!, record };
  }

  /** Ends it; a cancel that came first wins. Returns the status it has now, or "stale". */
  async finish(claim: Claim<R>, status: RunStatus, reason: string | null, result: object | null): Promise<string> {
    const text = result === null ? "" : JSON.stringify(result);
    return patiently(() => this.redis.annealFinish(claim.id, claim.fence, status, reason ?? "", text));
  }

  /** Hands it back unfinished; another attempt goes on from the last commit. */
  async release(claim: Claim<R>): Promise<string> {
    return patiently(() => this.redis.annealRelease(claim.id, claim.fence));
  }

  /** Returns the status now: canceled, canceling (a worker will see it at its next commit), or the terminal one it had. */
  async cancel(id: string): Promise<RunStatus | null> {
    return (await this.redis.annealCancel(id)) as RunStatus | null;
  }

  /** Refused ("conflict") while a worker may hold it. */
  async delete(id: string): Promise<"deleted" | "gone" | "conflict"> {
    const record = await this.get(id);
    if (record === null) return "gone";
    const indexes = this.#indexes(record.spec);
    return this.redis.annealDelete(indexes.length, ...indexes, id);
  }

  /** Deletes those that have been over for longer than `ttlSeconds`, some at a time; returns how many. Not atomic. */
  async expire(ttlSeconds: number): Promise<number> {
    const pages = TERMINAL_STATUSES.map((status) =>
      this.redis.zrangebylex(statusKey(status), `[${this.#idPrefix}`, `(${this.#idPrefix}~`, "LIMIT", 0, 100),
    );
    const ids = (await Promise.all(pages)).flat();
    const finished = await Promise.all(ids.map((id) => this.redis.hget(runKey(id), "finishedAt")));
    const due = ids.filter((_, i) => Number(finished[i] ?? 0) < Date.now() - ttlSeconds * 1000);
    for (const id of due) await this.delete(id);
    return due.length;
  }
}

/** The fields that every record has, from its hash. */
export function commonFields<Spec>(hash: Record<string, string>): StoredRecord<Spec> {
  return {
    id: hash.id!,
    spec: JSON.parse(hash.spec!),
    status: hash.status as RunStatus,
    createdAt: Number(hash.createdAt),
    startedAt: numberField(hash, "startedAt"),
    finishedAt: numberField(hash, "finishedAt"),
    committed: Number(hash.committed),
    attempts: Number(hash.attempts),
    reason: hash.reason ?? null,
    traceId: hash.traceId!,
  };
}

export function numberField(hash: Record<string, string>, name: string): number | null {
  return hash[name] === undefined ? null : Number(hash[name]);
}

export function jsonField<T>(hash: Record<string, string>, name: string): T | null {
  return hash[name] === undefined ? null : JSON.parse(hash[name]);
}
