import { Type } from "typebox";
import { BUILT_IN_DATASET } from "../schemas/dataset.js";
import { LIMITS } from "../schemas/limits.js";
import type { ListFilter } from "../schemas/list-query.js";
import { RECORD_KINDS, type RecordKind } from "../schemas/record-kinds.js";
import type { RunSpec } from "../schemas/run.js";
import { HELD_STATUSES, RUN_STATUSES, type RunStatus, type TerminalStatus } from "../schemas/status.js";
import { StoredAdviceSchema } from "../schemas/stored.js";
import { DEFAULT_TENANT } from "../schemas/tenant.js";
import { RedisClock } from "./clock.js";
import { type AnnealRedis, COMMAND_TIMEOUT_MS } from "./connect.js";
import type {
  Annotation,
  Claim,
  CreateOptions,
  Creation,
  Listed,
  ListQuery,
  RecordStore,
  StoredRecord,
  Survey,
  Uncreated,
} from "./contract.js";
import { childrenKey, datasetUsersKey, FINISHED_KEY, GONE_PREFIX, indexKey, runKey } from "./keys.js";
import { matching, PAGE, pageOfIds, type RowReader } from "./listing.js";
import { patiently } from "./patience.js";
import { call } from "./scripts.js";
import { type Parser, parserOf, StoredHash } from "./stored.js";

export interface Labelled {
  readonly labels: readonly string[];
}

const FREE = { steps: 0, bytes: 0 };
const parseAdvice = parserOf("advice", StoredAdviceSchema);
const parseLabels = parserOf("labels", Type.Array(Type.String()));

/**
 * Records of one kind in Redis. What its methods promise is said in contract.ts. `tenant`: whose they are; all others are not
 * there. null: everybody's, for the service's own work.
 */
export abstract class RedisRecordStore<Spec extends Labelled, R extends StoredRecord<Spec>>
  implements RecordStore<Spec, R>
{
  protected readonly redis: AnnealRedis;
  readonly #clock: RedisClock;
  readonly #kind: RecordKind;
  protected readonly tenant: string | null;

  constructor(redis: AnnealRedis, kind: RecordKind, tenant: string | null) {
    this.redis = redis;
    this.tenant = tenant;
    this.#clock = new RedisClock(redis);
    this.#kind = kind;
  }

  protected abstract toRecord(hash: StoredHash): R;

  protected abstract readonly rowReader: RowReader;

  /** The dataset that it pins for as long as it exists. */
  protected abstract datasetOf(spec: Spec): RunSpec["dataset"];

  /** What it takes, roughly: in the line with others it is counted so until it is measured. null: it is in no line. */
  protected secondsOf(_spec: Spec): number | null {
    return null;
  }

  #indexes(spec: Spec, parent: string | null, tenant: string): string[] {
    if (parent !== null) return [childrenKey(parent)];
    return [indexKey(this.#kind, tenant), datasetUsersKey(this.datasetOf(spec).name, tenant)];
  }

  /** Whether an id may be looked up for whom this store is; that there is such a record is not said. */
  protected async has(id: string): Promise<boolean> {
    return this.tenant === null || ((await this.redis.hget(runKey(id), "tenant")) ?? DEFAULT_TENANT) === this.tenant;
  }

  async ownerOf(id: string): Promise<string> {
    const [tenant, was] = await Promise.all([this.redis.hget(runKey(id), "tenant"), this.redis.get(GONE_PREFIX + id)]);
    return tenant ?? was ?? DEFAULT_TENANT;
  }

  now(): Promise<number> {
    return this.#clock.now();
  }

  async create(id: string, spec: Spec, options: CreateOptions): Promise<R | Uncreated> {
    const created = await this.createAll([{ id, spec, ...options }], options);
    return typeof created === "string" ? created : created[0]!;
  }

  async createAll(
    creations: readonly Creation<Spec>[],
    { traceId, ...common }: Pick<CreateOptions, "traceId" | "parent">,
  ): Promise<R[] | Uncreated> {
    const { tenant } = this;
    const parent = common.parent ?? null;
    const deadline = (await this.#clock.now()) + COMMAND_TIMEOUT_MS;
    const created = await call(
      this.redis,
      "annealCreate",
      { deadline, most: LIMITS.waitingRuns, traceId, parent, tenant },
      creations.flatMap(({ spec }) => this.#indexes(spec, parent, tenant ?? DEFAULT_TENANT)),
      creations.map(({ id, spec, waitsFor = null, fork, advice = null, cost = FREE, webhook = null }) => {
        const { name, digest } = this.datasetOf(spec);
        return {
          ...{ id, spec, waitsFor, dataset: name, digest: name === BUILT_IN_DATASET ? null : digest },
          ...{ forkRun: fork?.run ?? null, forkStep: fork?.step ?? null, forkLoop: fork?.loop ?? null },
          ...{ advice, steps: cost.steps, bytes: cost.bytes, seconds: this.secondsOf(spec), webhook },
        };
      }),
    );
    if (typeof created === "string") return created;
    return creations.map(({ id, spec, waitsFor, fork, advice }, i) => {
      const fresh: Record<string, string> = {
        ...{ id, spec: JSON.stringify(spec), status: "queued", traceId },
        ...{ createdAt: String(created[i]), committed: String(fork?.step ?? 0), attempts: "0" },
      };
      if (waitsFor !== undefined) fresh.waitsFor = waitsFor;
      if (parent !== null) fresh.parent = parent;
      if (tenant !== null) fresh.tenant = tenant;
      if (advice !== undefined) fresh.advice = JSON.stringify(advice);
      return this.toRecord(new StoredHash(fresh));
    });
  }

  async get(id: string): Promise<R | null> {
    return this.#fromHash(await this.redis.hgetall(runKey(id)));
  }

  #fromHash(hash: Record<string, string>): R | null {
    const isOurs = this.tenant === null || (hash.tenant ?? DEFAULT_TENANT) === this.tenant;
    return hash.id === undefined || !isOurs ? null : this.toRecord(new StoredHash(hash));
  }

  async #getAll(ids: readonly string[]): Promise<R[]> {
    const hashes = await Promise.all(ids.map((id) => this.redis.hgetall(runKey(id))));
    return hashes.flatMap((hash) => this.#fromHash(hash) ?? []);
  }

  async list(query: ListQuery): Promise<Listed<R>> {
    const { ids, next } = await pageOfIds(this.redis, this.rowReader, this.tenant ?? DEFAULT_TENANT, query);
    return { records: await this.#getAll(ids), next };
  }

  async survey(filter: ListFilter): Promise<Survey> {
    const { rows, complete } = await matching(this.redis, this.rowReader, this.tenant ?? DEFAULT_TENANT, filter);
    return { found: rows.map(({ id, status }) => ({ id, status })), complete };
  }

  async annotate(id: string, { name, labels, notes }: Annotation): Promise<"ok" | "gone"> {
    if (!(await this.has(id))) return "gone";
    const named = name === undefined ? null : JSON.stringify(name);
    const args = { id, name: named, labels: labels ?? null, notes: notes ?? null };
    return call(this.redis, "annealAnnotate", args);
  }

  async claim(
    id: string,
    token: string,
    crashLimit: number,
    epoch: number,
    worker: string,
  ): Promise<Claim<R> | { readonly refused: string }> {
    const claimed = await patiently(() =>
      call(this.redis, "annealClaim", { id, token, limit: crashLimit, epoch, worker }),
    );
    if ("refused" in claimed) return claimed;
    const record = await this.get(id);
    return record === null ? { refused: "gone" } : { id, fence: claimed.fence, record };
  }

  async finish(
    { id, fence }: Claim<R>,
    status: TerminalStatus,
    reason: string | null,
    result: object | null,
    steps?: number,
  ): Promise<RunStatus | "stale" | "behind"> {
    const args = { id, fence, status, reason, result, steps: steps ?? null };
    return patiently(() => call(this.redis, "annealFinish", args));
  }

  async release({ id, fence }: Claim<R>): Promise<RunStatus | "stale"> {
    return patiently(() => call(this.redis, "annealRelease", { id, fence }));
  }

  async cancel(id: string): Promise<RunStatus | null> {
    return (await this.has(id)) ? call(this.redis, "annealCancel", { id }) : null;
  }

  async delete(id: string): Promise<"deleted" | "gone" | "conflict"> {
    const record = await this.get(id);
    if (record === null) return "gone";
    for (;;) {
      const outcome = await call(
        this.redis,
        "annealDelete",
        { id },
        this.#indexes(record.spec, record.parent, record.tenant),
      );
      if (outcome !== "children") return outcome;
      if (!(await this.#deleteChildren(id))) return "conflict";
    }
  }

  /** False, and as far as can be seen nothing is deleted, while a worker may hold one of them. */
  async #deleteChildren(parent: string): Promise<boolean> {
    const index = childrenKey(parent);
    const ids = await this.redis.zrange(index, "0", "-1");
    const statuses = await Promise.all(ids.map((id) => this.redis.hget(runKey(id), "status")));
    if (statuses.some((status) => HELD_STATUSES.some((held) => held === status))) return false;
    for (const id of ids) if ((await call(this.redis, "annealDelete", { id }, [index])) === "conflict") return false;
    return true;
  }

  async expire(ttlSeconds: number): Promise<number> {
    const before = (await this.#clock.now()) - ttlSeconds * 1000;
    let deleted = 0;
    // What stays, of other kinds or with a child that is held, is passed over.
    for (let passed = 0; ; ) {
      const ids = await this.redis.zrangebyscore(FINISHED_KEY, "-inf", before, "LIMIT", passed, PAGE);
      for (const id of ids) {
        const own = id.startsWith(RECORD_KINDS[this.#kind].prefix);
        if (own && (await this.delete(id)) === "deleted") deleted++;
        else passed++;
      }
      if (ids.length < PAGE) return deleted;
    }
  }
}

/** The fields that every record has, from its hash. */
export function commonFields<Spec>(hash: StoredHash, parse: Parser<Spec>): StoredRecord<Spec> {
  const spec = hash.json("spec", parse);
  return {
    id: hash.text("id"),
    spec: { ...spec, ...annotation(hash) },
    status: statusOf(hash),
    parent: hash.textOrNull("parent"),
    tenant: hash.textOrNull("tenant") ?? DEFAULT_TENANT,
    createdAt: hash.number("createdAt"),
    startedAt: hash.numberOrNull("startedAt"),
    finishedAt: hash.numberOrNull("finishedAt"),
    committed: hash.number("committed"),
    attempts: hash.number("attempts"),
    worker: hash.textOrNull("worker"),
    reason: hash.textOrNull("reason"),
    traceId: hash.text("traceId"),
    advice: hash.jsonOrNull("advice", parseAdvice),
  };
}

function statusOf(hash: StoredHash): RunStatus {
  const text = hash.text("status");
  const status = RUN_STATUSES.find((known) => known === text);
  if (status === undefined) throw new Error(`${hash.text("id")}: no status is ${text}`);
  return status;
}

/** The name and labels that a person has given it since. */
function annotation(hash: StoredHash): { name?: string | null; labels?: string[] } {
  return {
    ...(hash.has("name") ? { name: hash.text("name") || null } : {}),
    ...(hash.has("labels") ? { labels: hash.json("labels", parseLabels) } : {}),
  };
}
