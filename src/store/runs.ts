import { roughSeconds } from "../core/cost.js";
import { isMetricDriven } from "../core/schedules/build.js";
import type { MetricChunk } from "../schemas/metrics.js";
import { StoredOverviewSchema } from "../schemas/overview.js";
import { RECORD_KINDS } from "../schemas/record-kinds.js";
import { RunResultSchema, type RunSpec } from "../schemas/run.js";
import { HELD_STATUSES, RUN_STATUSES, type RunStatus } from "../schemas/status.js";
import { StoredAutoLrSchema, StoredLoopSchema, StoredParkedSchema } from "../schemas/stored.js";
import { DEFAULT_TENANT } from "../schemas/tenant.js";
import type { AnnealRedis } from "./connect.js";
import type {
  AttemptReply,
  AutoLr,
  Checkpoint,
  Claim,
  CommitOptions,
  CommitReply,
  HeldRun,
  JobRef,
  Loop,
  ParkedRun,
  RunRecord,
  RunStore,
  StoredRates,
  Totals,
} from "./contract.js";
import {
  allStatusKeys,
  checkpointKey,
  keptCheckpointKey,
  keptKey,
  PARKED_KEY,
  runKey,
  TOTALS_KEY,
  WAITING_KEY,
} from "./keys.js";
import { PAGE } from "./listing.js";
import { encodeColumns } from "./log.js";
import { patiently } from "./patience.js";
import { commonFields, RedisRecordStore } from "./records.js";
import { RUN_ROWS } from "./rows.js";
import { call } from "./scripts.js";
import { parseRunSpec, parserOf, type StoredHash } from "./stored.js";

const parseOverview = parserOf("overview", StoredOverviewSchema);
const parseResult = parserOf("result", RunResultSchema);
const parseAutoLr = parserOf("rate", StoredAutoLrSchema);
const parseParked = parserOf("wait", StoredParkedSchema);
const parseStoredLoop = parserOf("loop state", StoredLoopSchema);

export function parseLoop(text: string): Loop {
  const { lossSum, ...loop } = parseStoredLoop(text);
  return { ...loop, lossSum: lossSum ?? Number.NaN };
}

export function runRecordOf(hash: StoredHash): RunRecord {
  return {
    ...commonFields(hash, parseRunSpec),
    stepsPerSecond: hash.numberOrNull("stepsPerSecond"),
    pauseRequested: hash.has("pauseRequested"),
    engineBuild: hash.textOrNull("engineBuild"),
    numerics: hash.textOrNull("numerics"),
    result: hash.jsonOrNull("result", parseResult),
    overview: hash.jsonOrNull("overview", parseOverview),
    notes: hash.textOrNull("notes") ?? "",
    waitsFor: hash.textOrNull("waitsFor"),
    autoLr: hash.jsonOrNull("autoLr", parseAutoLr),
  };
}

/** The runs in Redis. */
export class RedisRunStore extends RedisRecordStore<RunSpec, RunRecord> implements RunStore {
  readonly #rates: StoredRates;

  constructor(redis: AnnealRedis, tenant: string | null = null, rates: StoredRates = "stored") {
    super(redis, "run", tenant);
    this.#rates = rates;
  }

  protected override readonly rowReader = RUN_ROWS;

  protected override secondsOf(spec: RunSpec): number {
    return roughSeconds(spec);
  }

  protected override datasetOf(spec: RunSpec): RunSpec["dataset"] {
    return spec.dataset;
  }

  protected override readonly toRecord = runRecordOf;

  async checkpoint(id: string): Promise<Checkpoint | null> {
    return (await this.has(id)) ? this.#checkpoint(checkpointKey(id)) : null;
  }

  async checkpointAt(id: string, step: number): Promise<Checkpoint | null> {
    if (!(await this.has(id))) return null;
    const kept = await this.#checkpoint(keptCheckpointKey(id, step));
    if (kept !== null) return kept;
    const latest = await this.checkpoint(id);
    return latest?.loop.step === step ? latest : null;
  }

  async loopAt(id: string, step?: number): Promise<Loop | null> {
    if (!(await this.has(id))) return null;
    const keys = step === undefined ? [] : [keptCheckpointKey(id, step)];
    for (const key of [...keys, checkpointKey(id)]) {
      const text = await this.redis.hget(key, "loop");
      if (text === null) continue;
      const loop = parseLoop(text);
      if (step === undefined || loop.step === step) return loop;
    }
    return null;
  }

  async keptSteps(id: string): Promise<number[]> {
    return (await this.has(id)) ? (await this.redis.zrange(keptKey(id), "0", "-1")).map(Number) : [];
  }

  async #checkpoint(key: string): Promise<Checkpoint | null> {
    const { loop, engine } = await this.redis.hgetallBuffer(key);
    return loop === undefined ? null : { loop: parseLoop(loop.toString()), engine: new Uint8Array(engine!) };
  }

  async commit(
    claim: Claim<RunRecord>,
    chunk: MetricChunk,
    { loop, engine }: Checkpoint,
    { stepsPerSecond, keep, drop, overview }: CommitOptions,
    signal: AbortSignal,
  ): Promise<CommitReply> {
    const { id, fence } = claim;
    const args = {
      ...{ id, fence, loop, keep, drop, overview },
      from: chunk.from,
      count: chunk.lr.length,
      ...encodeColumns(chunk, this.#rates === "derived" && !isMetricDriven(claim.record.spec.schedule)),
      evals: chunk.evals.length === 0 ? null : chunk.evals,
      engine: Buffer.from(engine.buffer, engine.byteOffset, engine.byteLength),
      rate: Math.round(stepsPerSecond * 10) / 10,
      replicas: chunk.replicas?.length ?? 0,
    };
    const whileFull = async () => {
      const reply = await call(this.redis, "annealPoll", { id, fence });
      return reply !== "continue" ? reply : signal.aborted ? "unsaved" : null;
    };
    const reply = await patiently<CommitReply | "gap">(() => call(this.redis, "annealCommit", args), whileFull);
    if (reply === "gap") throw new Error(`run ${id}: a chunk from step ${chunk.from} does not follow the last commit`);
    return reply;
  }

  async poll({ id, fence }: Claim<RunRecord>): Promise<AttemptReply> {
    return patiently(() => call(this.redis, "annealPoll", { id, fence }));
  }

  async noteEngine(
    { id, fence }: Claim<RunRecord>,
    build: string,
    numerics: string,
    change: string | null,
  ): Promise<void> {
    await patiently(() => call(this.redis, "annealNoteEngine", { id, fence, build, numerics, change }));
  }

  async needs(id: string): Promise<{ readonly needs: string; readonly waived: boolean } | null> {
    const fields = await this.redis.hmget(runKey(id), "numerics", "engineBuild", "waived", "spec");
    const [numerics, build, waived, spec] = fields;
    // A record from before there were numerics has its build instead.
    const begun = numerics ?? build ?? null;
    if (begun !== null) return { needs: begun, waived: waived != null };
    const engine = spec == null ? "auto" : parseRunSpec(spec).engine;
    return engine === "auto" ? null : { needs: engine, waived: false };
  }

  async park(id: string, epoch: number, needs: string, crashLimit: number): Promise<"parked" | "moot"> {
    return patiently(() => call(this.redis, "annealPark", { id, epoch, needs, limit: crashLimit }));
  }

  async parked(): Promise<ParkedRun[]> {
    const parked = await this.redis.hgetall(PARKED_KEY);
    return Object.entries(parked).map(([id, text]) => ({ id, ...parseParked(text) }));
  }

  async unpark(id: string, waive: boolean): Promise<number | null> {
    return call(this.redis, "annealUnpark", { id, waive });
  }

  async pause(id: string): Promise<"ok" | "gone" | "conflict"> {
    return (await this.has(id)) ? call(this.redis, "annealPause", { id }) : "gone";
  }

  async resume(
    id: string,
  ): Promise<{ readonly outcome: "enqueue" | "ok" | "gone" | "conflict"; readonly epoch: number }> {
    return (await this.has(id)) ? call(this.redis, "annealResume", { id }) : { outcome: "gone", epoch: 0 };
  }

  async settle(id: string, spec: RunSpec, autoLr: AutoLr): Promise<number | null> {
    return call(this.redis, "annealSettle", { id, spec, note: autoLr });
  }

  async failWaiting(id: string, status: "failed" | "canceled", reason: string): Promise<void> {
    await call(this.redis, "annealFailWaiting", { id, status, reason });
  }

  async waiting(): Promise<{ id: string; waitsFor: string }[]> {
    const waiting = await this.redis.hgetall(WAITING_KEY);
    return Object.entries(waiting).map(([id, waitsFor]) => ({ id, waitsFor }));
  }

  async diedEarly(id: string): Promise<boolean> {
    const fields = await this.redis.hmget(runKey(id), "status", "crashes", "committed", "first");
    const [status, crashes, committed, first] = fields;
    return status === "running" && (crashes !== "0" || committed === first);
  }

  async held(): Promise<JobRef[]> {
    const indexes = HELD_STATUSES.flatMap(allStatusKeys);
    const ids = await Promise.all(indexes.map((index) => this.redis.zrange(index, "0", "-1")));
    return this.#jobsOf(ids.flat());
  }

  async *queued(): AsyncGenerator<JobRef[]> {
    let unread = allStatusKeys("queued").map((index) => ({ index, after: "-" }));
    while (unread.length > 0) {
      const reads = unread.map(({ index, after }) => this.redis.zrangebylex(index, after, "+", "LIMIT", 0, PAGE));
      const pages = await Promise.all(reads);
      yield await this.#jobsOf(pages.flat());
      unread = unread.flatMap(({ index }, i) =>
        pages[i]!.length < PAGE ? [] : [{ index, after: `(${pages[i]!.at(-1)!}` }],
      );
    }
  }

  /** Of those that are still there, wait for no search and are not put aside. */
  async #jobsOf(ids: readonly string[]): Promise<JobRef[]> {
    const fields = await Promise.all(ids.map((id) => this.redis.hmget(runKey(id), "epoch", "waitsFor", "parked")));
    return ids.flatMap((id, i) => {
      const [epoch, waitsFor, parked] = fields[i]!;
      return epoch == null || waitsFor != null || parked != null ? [] : [{ id, epoch: Number(epoch) }];
    });
  }

  async requeue(id: string, epoch: number): Promise<number | null> {
    return call(this.redis, "annealRequeue", { id, epoch });
  }

  async totals(): Promise<Totals> {
    const names = ["commits", "steps", "refused", "crashes"] as const;
    const [commits, steps, refused, crashes] = (await this.redis.hmget(TOTALS_KEY, ...names)).map(Number) as number[];
    return { commits: commits!, steps: steps!, refused: refused!, crashes: crashes! };
  }

  async training(): Promise<HeldRun[]> {
    const indexes = HELD_STATUSES.flatMap(allStatusKeys);
    const { prefix } = RECORD_KINDS.run;
    const range = [`[${prefix}`, `(${prefix}~`] as const;
    const ids = (await Promise.all(indexes.map((index) => this.redis.zrangebylex(index, ...range)))).flat();
    const names = ["worker", "claimedAt", "committed", "committedAt", "tenant"] as const;
    const found = await Promise.all(ids.map((id) => this.redis.hmget(runKey(id), ...names)));
    return found.flatMap(([worker, claimedAt, committed, committedAt, tenant], i) =>
      worker == null || (this.tenant !== null && (tenant ?? DEFAULT_TENANT) !== this.tenant)
        ? []
        : [
            {
              ...{ id: ids[i]!, worker, claimedAt: Number(claimedAt), committed: Number(committed) },
              committedAt: committedAt == null ? null : Number(committedAt),
            },
          ],
    );
  }

  async census(): Promise<{ counts: Record<RunStatus, number>; longestWaitMs: number | null }> {
    const countOf = async (status: RunStatus) => {
      const counts = allStatusKeys(status).map((index) => this.redis.zcard(index));
      const [own, children] = await Promise.all(counts);
      return [status, own! + children!] as const;
    };
    const counts = Object.fromEntries(await Promise.all(RUN_STATUSES.map(countOf))) as Record<RunStatus, number>;
    return { counts, longestWaitMs: await this.#longestWaitMs() };
  }

  async #longestWaitMs(): Promise<number | null> {
    const indexes = allStatusKeys("queued");
    const oldest = (await Promise.all(indexes.map((index) => this.redis.zrange(index, "0", "0")))).flat();
    const created = await Promise.all(oldest.map((id) => this.redis.hget(runKey(id), "createdAt")));
    const times = created.flatMap((text) => (text === null ? [] : [Number(text)]));
    return times.length === 0 ? null : Math.max(0, (await this.now()) - Math.min(...times));
  }
}
