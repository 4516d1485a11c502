import type { Static } from "typebox";
import type { Scope } from "../schemas/api-key.js";
import type { DatasetStatistics } from "../schemas/dataset.js";
import type { ExperimentReport } from "../schemas/experiment.js";
import type { ListFilter, ListOrder, ListSort } from "../schemas/list-query.js";
import type { MetricChunk } from "../schemas/metrics.js";
import type { StoredOverview } from "../schemas/overview.js";
import type { Quotas } from "../schemas/quotas.js";
import type { RunResult, RunSpec } from "../schemas/run.js";
import type { SearchAnswer, SearchSpec } from "../schemas/search.js";
import type { RunStatus, TerminalStatus } from "../schemas/status.js";
import type { Advice, AutoLr, DatasetEntry, StatusChange, StoredLoopSchema, StoredWorker } from "../schemas/stored.js";
import type { ExperimentSpec, StoredExperimentState } from "../schemas/stored-experiment.js";
import type { StoredSearchState } from "../schemas/stored-search.js";
import type { Deliveries, Webhook } from "../schemas/webhook.js";

/**
 * What the store promises; whoever uses it knows no more of it than this. Unless it says otherwise, each method is one atomic
 * step: it happens whole or not at all, and a reader sees the state before it or after it. Times are milliseconds since 1970
 * by the store's own clock. null means: there is no such thing. A rejection means that the store did not answer, or that what
 * it holds is not what this version writes; whether a change was made is unknown then, and all changes can be repeated.
 */

export type { Advice, AutoLr, DatasetEntry, StatusChange, StoredWorker };

/** What all records have: runs, searches and their like. */
export interface StoredRecord<Spec> {
  readonly id: string;
  readonly spec: Spec;
  readonly status: RunStatus;
  /** The record that it belongs to; null: none. */
  readonly parent: string | null;
  /** Whose it is. */
  readonly tenant: string;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Position in the log: of a run, steps whose metrics are stored; of a search or experiment, trainings done. Never falls. */
  readonly committed: number;
  readonly attempts: number;
  /** The worker process that has taken it last, as `<host>:<pid>`; null: none, or one that did not say so yet. */
  readonly worker: string | null;
  readonly reason: string | null;
  /** Of the request that made it, 32 hexadecimal digits: in the logs of every process that has to do with it. */
  readonly traceId: string;
  /** null: a child's, or an older version's. */
  readonly advice: Advice | null;
}

export interface RunRecord extends StoredRecord<RunSpec> {
  readonly stepsPerSecond: number | null;
  /** null: no step is stored, or all by a version that kept none. */
  readonly overview: StoredOverview | null;
  /** What a person has written about it; "": nothing. */
  readonly notes: string;
  readonly pauseRequested: boolean;
  /** Which code has trained it last. */
  readonly engineBuild: string | null;
  /** What its bytes depend on besides its spec, since it was begun: it goes on where that is. */
  readonly numerics: string | null;
  readonly result: RunResult | null;
  /** The search whose answer this run waits for as its rate. */
  readonly waitsFor: string | null;
  /** What a search chose for it, and why. */
  readonly autoLr: AutoLr | null;
}

export interface SearchRecord extends StoredRecord<SearchSpec> {
  /** null: no attempt has stored one yet. */
  readonly state: StoredSearchState | null;
  readonly answer: SearchAnswer | null;
}

export interface ExperimentRecord extends StoredRecord<ExperimentSpec> {
  /** null: no attempt has stored one yet. */
  readonly state: StoredExperimentState | null;
  /** Of an experiment that is over; one that was canceled has none. */
  readonly report: ExperimentReport | null;
}

/** What an attempt holds on to: every write names the fence, and is refused once another attempt has raised it. */
export interface Claim<R> {
  readonly id: string;
  readonly fence: string;
  /** As it was just after the claim. */
  readonly record: R;
}

export interface ListQuery extends ListFilter {
  /** Default: created, newest first; of a parent's children by id. */
  readonly sort?: ListSort | undefined;
  readonly order?: ListOrder | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface Listed<R> {
  readonly records: R[];
  /** `after` of the next page, which may turn out empty; null: there is none. */
  readonly next: string | null;
}

/** What a filter matches. */
export interface Survey {
  readonly found: readonly { readonly id: string; readonly status: RunStatus }[];
  /** False: only the LIMITS.listedRecords newest were looked at. */
  readonly complete: boolean;
}

/** What a person says about a record; what is left out stays as it is. */
export interface Annotation {
  readonly name?: string | null;
  readonly labels?: readonly string[];
  readonly notes?: string;
}

/** What a record may begin with. */
export interface CreateOptions {
  readonly traceId: string;
  readonly advice?: Advice;
  /** The search whose answer completes the spec; no job is due until then. */
  readonly waitsFor?: string;
  /**
   * The record that it belongs to, and goes with: it is in none of the lists but its parent's, and its parent pins the
   * dataset for it.
   */
  readonly parent?: string;
  /** Who is told of its statuses; default: its tenant's webhook. A child has none. */
  readonly webhook?: Webhook;
  /** What it is estimated to take, its children's included, for its tenant's quotas; default: nothing. */
  readonly cost?: { readonly steps: number; readonly bytes: number };
  /** The checkpoint of another run, which is copied, and the state of the loop to go with it. */
  readonly fork?: { readonly run: string; readonly step: number; readonly loop: Loop };
}

/** A record to be. */
export interface Creation<Spec> extends Omit<CreateOptions, "traceId" | "parent"> {
  readonly id: string;
  readonly spec: Spec;
}

/**
 * Why nothing was created: the answer would come too late for the client that asked; too many are waiting; the parent is
 * gone; the dataset has another text by now; the checkpoint to begin with is not there; its tenant's quota would be exceeded.
 */
export type Uncreated =
  | ("late" | "full" | "no-parent" | "no-dataset" | "no-checkpoint")
  | ("over-queued" | "over-steps" | "over-bytes");

/** "continue", or how the attempt has just ended: by what was requested of the record, or since it had lost it. */
export type AttemptReply = "continue" | "paused" | "canceled" | "stale";
/**
 * "behind": the store has lost steps that it had acknowledged, as after a failover: what is stored must be gone on from.
 * "unsaved": the store is full, nothing was stored, and the signal said not to wait any longer.
 */
export type CommitReply = AttemptReply | "unsaved" | "behind";

/**
 * Records with a status (src/schemas/status.ts has the table of its transitions), an owner and a log. A store is either a
 * tenant's, and another's records are not there for what takes an id from a client; or the service's own, and has all, but in
 * lists, which are those of the default tenant.
 */
export interface RecordStore<Spec, R extends StoredRecord<Spec>> {
  /** The store's clock; read once a second at most. */
  now(): Promise<number>;

  /** Stores a queued record. Where there is one of that id already it stays as it is, and counts as created. */
  create(id: string, spec: Spec, options: CreateOptions): Promise<R | Uncreated>;

  /** The same for several, in one step: all are stored, or none. */
  createAll(
    creations: readonly Creation<Spec>[],
    common: Pick<CreateOptions, "traceId" | "parent">,
  ): Promise<R[] | Uncreated>;

  get(id: string): Promise<R | null>;

  /** The tenant that has the record, or, for a minute after its deletion, had it. Says it of everybody's. */
  ownerOf(id: string): Promise<string>;

  /**
   * A page of those that match. Not atomic: a record created, changed or ended meanwhile may be missing. In any order but the
   * default the LIMITS.listedRecords newest are looked at.
   */
  list(query: ListQuery): Promise<Listed<R>>;

  /** All that match. Not atomic. */
  survey(filter: ListFilter): Promise<Survey>;

  /** Its name, labels and notes: not of the spec that it was made with, but shown in it. */
  annotate(id: string, annotation: Annotation): Promise<"ok" | "gone">;

  /**
   * Takes the record for one attempt by that worker; `token` is unique to it, `epoch` is that of its job. Refused where there is nothing to
   * do: it is gone, paused, over, waiting, or another job's. From now on what an earlier attempt writes is refused. Waits
   * while the store is full. A record that has been claimed `crashLimit` times in a row without a commit or release between
   * is failed.
   */
  claim(
    id: string,
    token: string,
    crashLimit: number,
    epoch: number,
    worker: string,
  ): Promise<Claim<R> | { readonly refused: string }>;

  /**
   * Ends it; a cancel that came first wins. Returns the status it has now. Waits while the store is full. `steps`: of a run at its
   * end, what it has committed; "behind" as of a commit.
   */
  finish(
    claim: Claim<R>,
    status: TerminalStatus,
    reason: string | null,
    result: object | null,
    steps?: number,
  ): Promise<RunStatus | "stale" | "behind">;

  /** Hands it back unfinished; another attempt goes on from the last commit. Returns the status it has now. */
  release(claim: Claim<R>): Promise<RunStatus | "stale">;

  /** Returns the status now: canceled, canceling (a worker will see it at its next commit), or the terminal one it had. */
  cancel(id: string): Promise<RunStatus | null>;

  /**
   * Frees all of it, and of its children. Refused ("conflict") while a worker may hold it or one of them. Not atomic where
   * there are children: they go first, so that repeating it completes what was broken off.
   */
  delete(id: string): Promise<"deleted" | "gone" | "conflict">;

  /** Deletes, with their children, those that have been over for longer; returns how many. Not atomic, one after another. */
  expire(ttlSeconds: number): Promise<number>;
}

/** The training loop's state, plain JSON but for a sum that may be NaN. */
export type Loop = Omit<Static<typeof StoredLoopSchema>, "lossSum"> & { readonly lossSum: number };

export interface Checkpoint {
  readonly loop: Loop;
  /** The engine's bytes. */
  readonly engine: Uint8Array;
}

export interface CommitOptions {
  readonly stepsPerSecond: number;
  /** The checkpoint outlives the next. */
  readonly keep: boolean;
  /** The step of a kept checkpoint that is kept no longer; null: all are. */
  readonly drop: number | null;
  /** Of all steps, with the chunk's. */
  readonly overview: StoredOverview;
}

export interface ParkedRun {
  readonly id: string;
  readonly needs: string;
  readonly since: number;
  readonly exact: boolean;
}

export interface JobRef {
  readonly id: string;
  readonly epoch: number;
}

/** Counters: they only grow. `crashes`: attempts that ended without a word. */
export interface Totals {
  readonly commits: number;
  readonly steps: number;
  readonly refused: number;
  readonly crashes: number;
}

/** A run that a worker has taken, and not let go. */
export interface HeldRun {
  readonly id: string;
  readonly worker: string;
  readonly claimedAt: number;
  /** Steps that are stored, of all; when the last were. null: none since it was created. */
  readonly committed: number;
  readonly committedAt: number | null;
}

export interface RunStore extends RecordStore<RunSpec, RunRecord> {
  /** The state that follows the last commit. */
  checkpoint(id: string): Promise<Checkpoint | null>;

  /** The state after `step` steps, kept or the latest. */
  checkpointAt(id: string, step: number): Promise<Checkpoint | null>;

  /** The loop's state of the checkpoint after `step` steps, or of the latest. */
  loopAt(id: string, step?: number): Promise<Loop | null>;

  /** The steps of the checkpoints that were to be kept, in order. */
  keptSteps(id: string): Promise<number[]>;

  /**
   * The one commit: appends the chunk to the log, replaces the checkpoint, moves progress, and wakes the readers. Commits follow each other without a gap (a gap is an Error), and one that was applied may be repeated.
   * On any answer but "continue" the attempt must end. Waits while the store is full, until the signal.
   */
  commit(
    claim: Claim<RunRecord>,
    chunk: MetricChunk,
    checkpoint: Checkpoint,
    options: CommitOptions,
    signal: AbortSignal,
  ): Promise<CommitReply>;

  /** Asks, without a commit, whether an attempt may go on. */
  poll(claim: Claim<RunRecord>): Promise<AttemptReply>;

  /** `change`: of a run that goes on under other numerics than it began with; stands in its log, at its step. */
  noteEngine(claim: Claim<RunRecord>, build: string, numerics: string, change: string | null): Promise<void>;

  /**
   * What a worker must have for a run that is not over: the engine that its spec names, or, once begun, its numerics. `waived`:
   * it may go on under others. null: any worker will do.
   */
  needs(id: string): Promise<{ readonly needs: string; readonly waived: boolean } | null>;

  /**
   * Puts a run aside that this worker cannot train, until `unpark`: it is queued, has no job, and says what it waits for.
   * "moot": there is nothing to put aside; a claim says why. A crash before it is counted as by `claim`.
   */
  park(id: string, epoch: number, needs: string, crashLimit: number): Promise<"parked" | "moot">;

  /** Runs that are put aside, what for, since when, and whether they may go on under other numerics. */
  parked(): Promise<ParkedRun[]>;

  /** The epoch of the job that a run which was put aside now needs; `waive`: under whatever numerics. null: no job is due. */
  unpark(id: string, waive: boolean): Promise<number | null>;

  /** A running run pauses at its next commit. */
  pause(id: string): Promise<"ok" | "gone" | "conflict">;

  /** "enqueue": the run needs a job of this epoch. */
  resume(id: string): Promise<{ readonly outcome: "enqueue" | "ok" | "gone" | "conflict"; readonly epoch: number }>;

  /** Completes the spec of a run that waited for its rate. Its job's epoch; null: no job is due. */
  settle(id: string, spec: RunSpec, autoLr: AutoLr): Promise<number | null>;

  /** Ends a queued run that waited for a rate that never came; any other is left alone. */
  failWaiting(id: string, status: "failed" | "canceled", reason: string): Promise<void>;

  /** Runs that wait for a search. */
  waiting(): Promise<{ id: string; waitsFor: string }[]>;

  /** Did an attempt at it die before a commit? A lone death after earlier commits does not count yet. */
  diedEarly(id: string): Promise<boolean>;

  /** Records of every kind that a worker may hold: not many more than the workers train at once. Not atomic. */
  held(): Promise<JobRef[]>;

  /**
   * Records of every kind that wait for a worker and should have a job, a page at a time, and at least one page. Not atomic: one
   * that changes status meanwhile may be missing, or come twice.
   */
  queued(): AsyncIterable<JobRef[]>;

  /** The epoch of the new job that a record without an owner needs; null when it needs none any more. */
  requeue(id: string, epoch: number): Promise<number | null>;

  /** Totals since ever, over all processes. */
  totals(): Promise<Totals>;

  /** Runs that a worker trains, or has died over. Not atomic. */
  training(): Promise<HeldRun[]>;

  /** How many records of every kind stand in each status, and for how long (ms) the oldest queued one has waited. Not atomic. */
  census(): Promise<{ counts: Record<RunStatus, number>; longestWaitMs: number | null }>;
}

/** Records that train others. */
export interface ParentStore<Spec, R extends StoredRecord<Spec>> extends RecordStore<Spec, R> {
  /** Stores the state after `done` trainings, and tells the record's readers. On any answer but "continue" the attempt must end. */
  advance(claim: Claim<R>, done: number, state: object, progress: object): Promise<AttemptReply>;
}

export type SearchStore = ParentStore<SearchSpec, SearchRecord>;
export type ExperimentStore = ParentStore<ExperimentSpec, ExperimentRecord>;

/** A key to the API. What it is itself is known to its holder alone. */
export interface ApiKeyRecord {
  readonly id: string;
  readonly name: string;
  readonly scope: Scope;
  /** Whose everything is that is made with it. */
  readonly tenant: string;
  readonly createdAt: number;
  /** null: never. */
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  /** Of its secret; another one after it was rotated. */
  readonly digest: string;
}

export interface ApiKeyStore {
  create(
    name: string,
    scope: Scope,
    days: number | null,
    tenant?: string,
  ): Promise<{ readonly record: ApiKeyRecord; readonly key: string }>;

  /** By creation. Not atomic. */
  list(): Promise<ApiKeyRecord[]>;

  get(id: string): Promise<ApiKeyRecord | null>;

  /** Gives it another secret; the old one, and sessions that it began, are worth nothing from then on. */
  rotate(id: string): Promise<{ readonly record: ApiKeyRecord; readonly key: string } | null>;

  /** False: there was none. */
  revoke(id: string): Promise<boolean>;

  /** Whose key this is; null: nobody's, or it has expired. */
  find(key: string): Promise<ApiKeyRecord | null>;

  /** A browser's session in place of the key: its token. */
  beginSession(record: ApiKeyRecord): Promise<string>;

  /** Whose session that is; null: it is over, or its key is gone, expired or rotated. */
  findSession(token: string): Promise<ApiKeyRecord | null>;

  endSession(token: string): Promise<void>;
}

/** What tenants may have, and have. */
export interface QuotaStore {
  get(tenant: string): Promise<Quotas>;

  /** What is left out stays; null: no quota. */
  set(tenant: string, change: Partial<Quotas>): Promise<void>;

  /** Of each quota, by its name, what is used; and when the next day begins (ms). Not atomic. */
  used(tenant: string): Promise<Omit<Quotas, "sockets"> & { readonly newDayAt: number }>;
}

/** A change, or an attempt at one, by a key (its id); `operation` and `status` as the API names and answers them. */
export interface Deed {
  readonly at: number;
  readonly tenant: string;
  readonly key: string | null;
  readonly operation: string;
  readonly target: string | null;
  readonly status: number;
  readonly traceId: string;
}

export interface AuditStore {
  /** Stores it soon; what a process has noted in the tenth of a second before it is killed may be missing. */
  note(deed: Deed): void;

  /** Stores what was noted. */
  flush(): Promise<void>;

  /** Newest first, from before the entry `after` on. */
  list(tenant: string, after: string | null, limit: number): Promise<(Deed & { readonly id: string })[]>;
}

/** Requests that may be repeated: each key stands for one request and one id for a day. */
export interface OnceStore {
  /**
   * The id that the key stands for: this one (`fresh`), unless it stood for one before. "other": it stands for another
   * request.
   */
  begin(key: string, id: string, request: string): Promise<{ readonly id: string; readonly fresh: boolean } | "other">;

  /** The answer that was stored for that id. */
  answer(id: string): Promise<string | null>;

  /** Stores the answer, unless there is one. Returns the one that there is now. */
  complete(id: string, answer: string): Promise<string>;
}

/** What is told to webhooks, as far as clients see it. */
export interface WebhookStore {
  /** null: there is no such record, or it has no webhook. */
  get(id: string): Promise<Deliveries | null>;

  /** All its events so far are delivered again, in order. False: as `get`'s null. */
  redeliver(id: string): Promise<boolean>;
}

/** The workers there are, and how fast they have been. */
export interface Fleet {
  /** Shows that a worker process lives, for that many seconds, and trains so many runs at once. */
  heartbeat(worker: string, slots: number, ttlSeconds: number, facts: StoredWorker): Promise<void>;

  /** The workers that live, by name, each with how long ago it said so. Not atomic. */
  workers(): Promise<{ worker: string; slots: number; seenAt: number; facts: StoredWorker }[]>;

  /** Runs that all present workers train at once. Not atomic. */
  slots(): Promise<number>;

  /** Notes what a training took by this engine (as a spec names it), as a multiple of what src/core/cost.ts says. */
  noteSpeed(engine: string, ratio: number): Promise<void>;

  /** An average of those, the newest counting most; null: there is none. */
  speed(engine: string): Promise<number | null>;
}

/** Whether commits store each step's rate, or leave those that the schedule alone decides to be derived on reading. */
export type StoredRates = "stored" | "derived";

/** Stored metrics, a page of chunks at a time, however long the run. */
export interface MetricsReader {
  /** The chunks of steps [from, to), cut to that range, in order. */
  chunks(runId: string, from: number, to: number): AsyncIterable<MetricChunk>;
}

/** A part of a run as it is stored: the record first, then its log in order, then its checkpoints; `step` null: the latest. */
export type ArchivePart =
  | { readonly kind: "record"; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: "entry"; readonly id: string; readonly fields: readonly (readonly [string, Buffer])[] }
  | { readonly kind: "checkpoint"; readonly step: number | null; readonly loop: string; readonly engine: Buffer };

/** What is no part that a worker of ours can have stored. */
export class NotAnArchive extends Error {}

/** Whole runs, to be taken from one store to another. */
export interface ArchiveStore {
  /** All of a run that is over. */
  read(id: string): AsyncIterable<ArchivePart>;

  /**
   * Stores a run, all of it or nothing. `accept` may reject, once the record is known, and says what it is estimated to take. "exists": a run has that id;
   * "no-dataset": its dataset's name stands for another text here. Rejects with NotAnArchive.
   */
  restore(
    parts: AsyncIterable<ArchivePart>,
    accept: (record: RunRecord) => Promise<{ readonly bytes: number }>,
  ): Promise<{ readonly outcome: "restored" | "exists" | "no-dataset" | "over-bytes"; readonly record: RunRecord }>;
}

/** People's datasets: texts by digest, and names that point to them. */
export interface DatasetStore {
  /** One that somebody put there. */
  get(name: string): Promise<DatasetEntry | null>;

  /** All that people have put there, by name. */
  list(): Promise<DatasetEntry[]>;

  /** How many records pin it. */
  users(name: string): Promise<number>;

  /** The text with that digest, built in or somebody's. */
  text(digest: string): Promise<Buffer | null>;

  /**
   * Points the name to the text. "same": it did so before; "used": records pin another text by this name; "full": there is no
   * room for more names or bytes; "over-bytes": or none in its tenant's quota.
   */
  put(
    name: string,
    text: Buffer,
    statistics: DatasetStatistics,
  ): Promise<"created" | "same" | "replaced" | "used" | "full" | "over-bytes">;

  /** Refused ("used") while records pin it. */
  delete(name: string): Promise<"deleted" | "gone" | "used">;
}

/** One entry of a record's log. `id` orders entries; `step`: steps committed up to and including it. */
export type LogEntry = { readonly id: string; readonly step: number } & (
  | { readonly kind: "chunk"; readonly chunk: MetricChunk }
  | { readonly kind: "status"; readonly change: StatusChange }
  | { readonly kind: "progress"; readonly progress: unknown }
);

/** Where a cursor delivers. `send` is called in log order, each entry once, while it `hasRoom`. */
export interface Sink {
  /** False while the reader lags; call the cursor's `resume` when that changes. */
  hasRoom(): boolean;
  send(entry: LogEntry): void;
  /** Every entry that there is has been sent. */
  caughtUp?(): void;
  /** The run was deleted under the reader. */
  gone(): void;
  /**
   * The store has lost entries that were sent: the log ends at `step` again, as after a failover. What comes next may overlap what
   * was sent; steps have the bytes that they had.
   */
  rolledBack?(step: number): void;
}

/** One reader of one log: a position, no queue. */
export interface Cursor {
  /** The last entry that was sent, or where reading began. */
  readonly position: string;
  /** Delivers what there is, as far as the sink takes it, and goes on as the log grows. Call it when the sink has room again. */
  resume(): void;
  close(): void;
}

/** Who wants to know of all records. */
export interface Watcher {
  /** About as often as the record is committed to. */
  changed(id: string): void;
  /** The subscription was away: any record may have changed meanwhile. */
  missed(): void;
}

/** Follows logs, stored and then live, for any number of readers. */
export interface Tail {
  /**
   * A cursor that, once resumed, delivers every entry of a record's log from step `from` on, stored and then live, until it is
   * closed. `from` is at most the number of committed steps. The first chunk may begin before it.
   */
  follow(runId: string, from: number, sink: Sink): Cursor;

  /** Tells of every record that changes, until the returned function is called. */
  watch(watcher: Watcher): () => void;

  /** By reader, how many steps it is behind. */
  lags(): number[];
}
