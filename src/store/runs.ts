import type { MetricChunk } from "../schemas/metrics.js";
import { RUN_STATUSES, type RunResult, type RunSpec, type RunStatus } from "../schemas/run.js";
import type { AnnealRedis, CommitReply } from "./connect.js";
import { checkpointKey, keptCheckpointKey, keptKey, RUNS_KEY, runKey, statusKey, TOTALS_KEY } from "./keys.js";
import { encodeColumns } from "./log.js";
import { patiently } from "./patience.js";
import { type Claim, commonFields, jsonField, numberField, RecordStore, type StoredRecord } from "./records.js";

/** The run record as stored. */
export interface RunRecord extends StoredRecord<RunSpec> {
  readonly stepsPerSecond: number | null;
  readonly pauseRequested: boolean;
  readonly engineBuild: string | null;
  readonly result: RunResult | null;
  /** The search whose answer this run waits for as its rate. */
  readonly waitsFor: string | null;
  /** What a search chose for it, and why. */
  readonly autoLr: AutoLr | null;
}

export interface AutoLr {
  readonly search: string;
  readonly lr: number;
  readonly interval: readonly [number, number];
  readonly why: string;
}

export interface Checkpoint {
  /** The loop's state, plain JSON. */
  readonly loop: unknown;
  /** The engine's bytes. */
  readonly engine: Uint8Array;
}

/** Records looked at in one round trip. */
const PAGE = 256;

/** The runs in Redis. */
export class RunStore extends RecordStore<RunSpec, RunRecord> {
  constructor(redis: AnnealRedis) {
    super(redis, RUNS_KEY, "run_");
  }

  protected override datasetOf(spec: RunSpec): RunSpec["dataset"] {
    return spec.dataset;
  }

  protected override toRecord(hash: Record<string, string>): RunRecord {
    return {
      ...commonFields<RunSpec>(hash),
      stepsPerSecond: numberField(hash, "stepsPerSecond"),
      pauseRequested: hash.pauseRequested !== undefined,
      engineBuild: hash.engineBuild ?? null,
      result: jsonField(hash, "result"),
      waitsFor: hash.waitsFor ?? null,
      autoLr: jsonField(hash, "autoLr"),
    };
  }

  /** The state that follows the last commit; null: none was made. */
  async checkpoint(id: string): Promise<Checkpoint | null> {
    return this.#checkpoint(checkpointKey(id));
  }

  /** The state after `step` steps, kept or the latest; null: there is none. */
  async checkpointAt(id: string, step: number): Promise<Checkpoint | null> {
    const kept = await this.#checkpoint(keptCheckpointKey(id, step));
    if (kept !== null) return kept;
    const latest = await this.checkpoint(id);
    return (latest?.loop as { step: number } | undefined)?.step === step ? latest : null;
  }

  /** The loop's state of the checkpoint after `step` steps, or of the latest; null: there is none. */
  async loopAt(id: string, step?: number): Promise<unknown> {
    const keys = step === undefined ? [] : [keptCheckpointKey(id, step)];
    for (const key of [...keys, checkpointKey(id)]) {
      const text = await this.redis.hget(key, "loop");
      if (text === null) continue;
      const loop = JSON.parse(text) as { step: number };
      if (step === undefined || loop.step === step) return loop;
    }
    return null;
  }

  /** The steps of the checkpoints that were to be kept, in order. */
  async keptSteps(id: string): Promise<number[]> {
    return (await this.redis.zrange(keptKey(id), "0", "-1")).map(Number);
  }

  async #checkpoint(key: string): Promise<Checkpoint | null> {
    const { loop, engine } = await this.redis.hgetallBuffer(key);
    return loop === undefined ? null : { loop: JSON.parse(loop.toString()), engine: new Uint8Array(engine!) };
  }

  /**
   * The one commit; `keep`: its checkpoint outlives the next. On any answer but "continue" the attempt must end: the run is no longer its own to train. Waits while
   * Redis is full; "unsaved": nothing was stored, and the signal says not to wait any longer.
   */
  async commit(
    claim: Claim<RunRecord>,
    chunk: MetricChunk,
    checkpoint: Checkpoint,
    { stepsPerSecond, keep }: { readonly stepsPerSecond: number; readonly keep: boolean },
    signal: AbortSignal,
  ): Promise<Exclude<CommitReply, "gap"> | "unsaved"> {
    const args = [
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
      Number(keep),
    ];
    const whileFull = async () => {
      const told = await this.redis.annealAttend(claim.id, claim.fence);
      return told !== "continue" ? told : signal.aborted ? "unsaved" : null;
    };
    const reply = await patiently<CommitReply | "unsaved">(() => this.redis.annealCommit(...args), whileFull);
    if (reply === "gap")
      throw new Error(`run ${claim.id}: a chunk from step ${chunk.from} does not follow the last commit`);
    return reply;
  }

  /** Asks, without a commit, whether an attempt may go on; any other answer has ended it. */
  async attend(claim: Claim<RunRecord>): Promise<Exclude<CommitReply, "gap">> {
    return patiently(async () => (await this.redis.annealAttend(claim.id, claim.fence)) as Exclude<CommitReply, "gap">);
  }

  async noteEngineBuild(claim: Claim<RunRecord>, build: string): Promise<void> {
    await patiently(() => this.redis.annealNote(claim.id, claim.fence, "engineBuild", build));
  }

  async pause(id: string): Promise<"ok" | "gone" | "conflict"> {
    return this.redis.annealPause(id);
  }

  /** "enqueue": the run needs a job of this epoch. */
  async resume(
    id: string,
  ): Promise<{ readonly outcome: "enqueue" | "ok" | "gone" | "conflict"; readonly epoch: number }> {
    const [outcome, epoch] = await this.redis.annealResume(id);
    return { outcome, epoch: Number(epoch ?? 0) };
  }

  /** Completes the spec of a run that waited for its rate. Its job's epoch, or null when it waits no more. */
  async settle(id: string, spec: RunSpec, autoLr: AutoLr): Promise<number | null> {
    const epoch = await this.redis.annealSettle(id, JSON.stringify(spec), JSON.stringify(autoLr));
    return epoch === null ? null : Number(epoch);
  }

  /** Ends a run that waited for a rate that never came. */
  async disappoint(id: string, status: RunStatus, reason: string): Promise<void> {
    await this.redis.annealDisappoint(id, status, reason);
  }

  /** Did an attempt at it die before a commit? A lone death after earlier commits does not count yet. */
  async diedEarly(id: string): Promise<boolean> {
    const fields = await this.redis.hmget(runKey(id), "status", "crashes", "committed", "first");
    const [status, crashes, committed, first] = fields;
    return status === "running" && (crashes !== "0" || committed === first);
  }

  /**
   * Runs and searches that should have a job: their ids with the job's epoch, a page at a time. For the reconciler. One that
   * changes status meanwhile may be missing, or come twice.
   */
  async *unfinished(): AsyncGenerator<{ id: string; epoch: number }[]> {
    for (const status of ["queued", "running", "canceling"] as const) {
      for (let after = "-"; ; ) {
        const ids = await this.redis.zrangebylex(statusKey(status), after, "+", "LIMIT", 0, PAGE);
        const fields = await Promise.all(ids.map((id) => this.redis.hmget(runKey(id), "epoch", "waitsFor")));
        yield ids.flatMap((id, i) => {
          const [epoch, waitsFor] = fields[i]!;
          return epoch == null || waitsFor != null ? [] : [{ id, epoch: Number(epoch) }];
        });
        if (ids.length < PAGE) break;
        after = `(${ids.at(-1)!}`;
      }
    }
  }

  /** Totals since ever, over all processes. */
  async totals(): Promise<{ commits: number; steps: number; refused: number }> {
    const [commits, steps, refused] = await this.redis.hmget(TOTALS_KEY, "commits", "steps", "refused");
    return { commits: Number(commits ?? 0), steps: Number(steps ?? 0), refused: Number(refused ?? 0) };
  }

  /** How many runs and searches stand in each status, and since when (ms since 1970) the oldest queued one waits. */
  async census(): Promise<{ counts: Record<RunStatus, number>; oldestQueuedAt: number | null }> {
    const counts = await Promise.all(RUN_STATUSES.map((status) => this.redis.zcard(statusKey(status))));
    const [oldest] = await this.redis.zrange(statusKey("queued"), "0", "0");
    const createdAt = oldest === undefined ? null : await this.redis.hget(runKey(oldest), "createdAt");
    return {
      counts: Object.fromEntries(RUN_STATUSES.map((status, i) => [status, counts[i]])) as Record<RunStatus, number>,
      oldestQueuedAt: createdAt === null ? null : Number(createdAt),
    };
  }

  /** Runs that wait for a search. */
  async waiting(): Promise<{ id: string; waitsFor: string }[]> {
    const ids = await this.redis.zrange(statusKey("queued"), "0", "-1");
    const searches = await Promise.all(ids.map((id) => this.redis.hget(runKey(id), "waitsFor")));
    return ids.flatMap((id, i) => (searches[i] == null ? [] : [{ id, waitsFor: searches[i] }]));
  }

  /** The epoch of the new job that an ownerless run needs; null when it needs none any more. */
  async requeue(id: string, epoch: number): Promise<number | null> {
    const next = await this.redis.annealRequeue(id, String(epoch));
    return next === null ? null : Number(next);
  }
}
