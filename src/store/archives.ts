import { randomUUID } from "node:crypto";
import { isMetricDriven } from "../core/schedules/build.js";
import { BUILT_IN_DATASET } from "../schemas/dataset.js";
import { idPattern } from "../schemas/record-kinds.js";
import { isTerminal } from "../schemas/status.js";
import type { AnnealRedis } from "./connect.js";
import { type ArchivePart, type ArchiveStore, NotAnArchive, type RunRecord } from "./contract.js";
import { checkpointKey, datasetUsersKey, indexKey, keptCheckpointKey, keptKey, logKey, runKey } from "./keys.js";
import { decodeEntry } from "./log.js";
import { type Rates, ratesOf } from "./rates.js";
import { parseLoop, runRecordOf } from "./runs.js";
import { call } from "./scripts.js";
import { StoredHash } from "./stored.js";

const PAGE = 32;
/** What was staged by a process that has died is gone after that. */
const STAGED_SECONDS = 3600;
const RUN_ID = new RegExp(idPattern("run"));

/** Of a record that is over, what it is; the rest is of its attempts and of what it waited for. */
const TEXTS = ["id", "spec", "status", "reason", "traceId", "worker", "engineBuild", "numerics", "result", "overview"];
const FURTHER_TEXTS = ["advice", "autoLr", "notes", "name", "labels"];
const NUMBERS = ["createdAt", "startedAt", "finishedAt", "committed", "first", "attempts", "statusChanges"];
const FURTHER_NUMBERS = ["stepsPerSecond", "committedAt", "fence", "epoch", "crashes"];
const NUMERIC = [...NUMBERS, ...FURTHER_NUMBERS];
const FIELDS = [...TEXTS, ...FURTHER_TEXTS, ...NUMERIC];

/** Whole runs in Redis. */
export class RedisArchiveStore implements ArchiveStore {
  readonly #redis: AnnealRedis;
  readonly #tenant: string;

  constructor(redis: AnnealRedis, tenant: string) {
    this.#redis = redis;
    this.#tenant = tenant;
  }

  async *read(id: string): AsyncGenerator<ArchivePart> {
    const hash = await this.#redis.hgetall(runKey(id));
    // In one order, so that a run's archive is the same bytes wherever it is.
    const known = FIELDS.filter((name) => hash[name] !== undefined);
    yield { kind: "record", fields: Object.fromEntries(known.map((name) => [name, hash[name]!])) };
    let position = "-";
    for (;;) {
      const page = (await this.#redis.xrangeBuffer(logKey(id), position, "+", "COUNT", PAGE)) as [Buffer, Buffer[]][];
      for (const [entry, fields] of page) {
        position = `(${entry}`;
        yield { kind: "entry", id: entry.toString(), fields: pairsOf(fields) };
      }
      if (page.length < PAGE) break;
    }
    const kept = (await this.#redis.zrange(keptKey(id), "0", "-1")).map(Number);
    for (const step of [...kept, null]) {
      const { loop, engine } = await this.#redis.hgetallBuffer(
        step === null ? checkpointKey(id) : keptCheckpointKey(id, step),
      );
      if (loop !== undefined) yield { kind: "checkpoint", step, loop: loop.toString(), engine: engine! };
    }
  }

  async restore(
    parts: AsyncIterable<ArchivePart>,
    accept: (record: RunRecord) => Promise<{ readonly bytes: number }>,
  ): Promise<{ readonly outcome: "restored" | "exists" | "no-dataset" | "over-bytes"; readonly record: RunRecord }> {
    let staging: Staging | null = null;
    let bytes = 0;
    try {
      for await (const part of parts) {
        if (part.kind === "record") {
          if (staging !== null) throw new NotAnArchive("two records");
          staging = new Staging(this.#redis, this.#tenant, part.fields);
          bytes = (await accept(staging.record)).bytes;
        } else if (staging === null) throw new NotAnArchive("no record first");
        else await staging.add(part);
      }
      if (staging === null) throw new NotAnArchive("no record");
      return { outcome: await staging.finish(bytes), record: staging.record };
    } finally {
      await staging?.drop();
    }
  }
}

const pairsOf = (fields: readonly Buffer[]) =>
  Array.from({ length: fields.length / 2 }, (_, i): [string, Buffer] => [
    fields[2 * i]!.toString(),
    fields[2 * i + 1]!,
  ]);

/** A run on its way in, checked part by part to be what a worker may have written. */
class Staging {
  readonly record: RunRecord;
  readonly #redis: AnnealRedis;
  readonly #tenant: string;
  readonly #fields: Readonly<Record<string, string>>;
  /** An id that nobody asks for. */
  readonly #staged: string;
  readonly #keys = new Set<string>();
  readonly #rates: Rates | null;
  readonly #kept: number[] = [];
  #next: number;
  #last: { readonly step: number; readonly status: string | null } = { step: -1, status: null };
  #checkpoint: number | null = null;

  constructor(redis: AnnealRedis, tenant: string, fields: Readonly<Record<string, string>>) {
    this.#redis = redis;
    this.#tenant = tenant;
    this.#fields = fields;
    this.record = checked("record", () => {
      const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name));
      if (unknown !== undefined) throw new Error(`no record has ${unknown}`);
      for (const name of NUMERIC) {
        const number = Number(fields[name] ?? (NUMBERS.includes(name) && name !== "startedAt" ? Number.NaN : 0));
        if (!(number >= 0 && number <= Number.MAX_SAFE_INTEGER)) throw new Error(`${name} is no number`);
      }
      if (!RUN_ID.test(fields.id!)) throw new Error("the id is no run's");
      return runRecordOf(new StoredHash(fields));
    });
    const { status, committed, spec } = this.record;
    this.#next = spec.from?.step ?? 0;
    this.#rates = isMetricDriven(spec.schedule) ? null : ratesOf(spec);
    if (!isTerminal(status)) throw new NotAnArchive("the run is not over");
    if (committed < this.#next || committed > spec.steps) throw new NotAnArchive("steps that its spec does not have");
    this.#staged = `${this.record.id}:restore:${randomUUID()}`;
  }

  async add(part: Exclude<ArchivePart, { readonly kind: "record" }>): Promise<void> {
    await (part.kind === "entry" ? this.#addEntry(part) : this.#addCheckpoint(part));
  }

  async #addEntry({ id, fields }: Extract<ArchivePart, { readonly kind: "entry" }>): Promise<void> {
    const { spec, committed } = this.record;
    checked(`log at ${id}`, () => {
      const flat = fields.flatMap(([name, value]) => [Buffer.from(name), value]);
      const entry = decodeEntry([Buffer.from(id), flat], this.#rates);
      if (!/^\d+-\d+$/.test(id) || entry.step < this.#last.step) throw new Error("out of order");
      if (entry.kind === "progress") throw new Error("a run has none");
      this.#last = { step: entry.step, status: entry.kind === "status" ? entry.change.status : null };
      if (entry.kind === "status") return;
      const { from, lr, replicas = [] } = entry.chunk;
      if (lr.includes(Number.NaN)) throw new Error("other rates than its spec's");
      if (from !== this.#next || lr.length === 0) throw new Error("a hole");
      if (replicas.length !== (spec.replicas > 1 ? spec.replicas : 0)) throw new Error("other replicas");
      this.#next = entry.step;
      if (this.#next > committed) throw new Error("too many steps");
    });
    const key = logKey(this.#staged);
    await this.#redis.xadd(key, id, ...fields.flat());
    await this.#mark(key);
  }

  async #addCheckpoint({ step, loop, engine }: Extract<ArchivePart, { readonly kind: "checkpoint" }>): Promise<void> {
    checked("checkpoint", () => {
      const at = parseLoop(loop).step;
      if (at > this.record.committed || (step !== null && at !== step)) throw new Error("of another step");
      if (step === null) this.#checkpoint = at;
      else this.#kept.push(step);
    });
    const key = step === null ? checkpointKey(this.#staged) : keptCheckpointKey(this.#staged, step);
    await this.#redis.hset(key, { loop, engine });
    await this.#mark(key);
  }

  async #mark(key: string): Promise<void> {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    await this.#redis.expire(key, STAGED_SECONDS);
  }

  async finish(bytes: number): Promise<"restored" | "exists" | "no-dataset" | "over-bytes"> {
    const { id, committed, spec, status } = this.record;
    if (this.#next !== committed) throw new NotAnArchive("fewer steps than its record says");
    if (this.#last.status !== status) throw new NotAnArchive("a log that ends otherwise than its record says");
    if (committed > (spec.from?.step ?? 0) && this.#checkpoint !== committed)
      throw new NotAnArchive("no last checkpoint");
    const { name, digest } = spec.dataset;
    const tenant = this.#tenant;
    const args = {
      ...{ id, staged: this.#staged, fields: this.#fields, dataset: name, tenant, bytes, kept: this.#kept },
      digest: name === BUILT_IN_DATASET ? null : digest,
    };
    return call(this.#redis, "annealRestore", args, [indexKey("run", tenant), datasetUsersKey(name, tenant)]);
  }

  /** What was not taken is of no use. */
  async drop(): Promise<void> {
    if (this.#keys.size > 0) await this.#redis.unlink(...this.#keys).catch(() => {});
  }
}

function checked<T>(what: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw new NotAnArchive(`${what}: ${(error as Error).message}`);
  }
}
