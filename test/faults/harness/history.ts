import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { TERMINAL_STATUSES } from "../../../src/schemas/run.js";
import type { AnnealRedis } from "../../../src/store/connect.js";
import type { LogEntry } from "../../../src/store/contract.js";
import { checkpointKey } from "../../../src/store/keys.js";
import { readLog } from "../../../src/store/log.js";

/** What must be the same for two runs of one spec and seed, however often they were interrupted. */
export interface Fingerprint {
  readonly steps: number;
  /** SHA-256 of all lr and loss bytes in step order. */
  readonly metrics: string;
  /** SHA-256 of the final checkpoint: parameters, optimizer, rng, loop. */
  readonly weights: string;
}

export async function wholeLog(redis: AnnealRedis, id: string): Promise<LogEntry[]> {
  const all: LogEntry[] = [];
  for (let position = "0-0"; ; ) {
    const page = await readLog(redis, id, position, 256);
    if (page.length === 0) return all;
    all.push(...page);
    position = page.at(-1)!.id;
  }
}

/** Steps 0..n-1 each exactly once and in order; at most one terminal status, and nothing after it. Returns n. */
export function checkHistory(log: readonly LogEntry[]): number {
  let next = 0;
  let ended: string | null = null;
  for (const entry of log) {
    assert.equal(ended, null, `${entry.id} comes after the terminal status ${ended}`);
    if (entry.kind === "chunk") {
      assert.equal(entry.chunk.from, next, `at ${entry.id}`);
      next += entry.chunk.lr.length;
    }
    if (entry.kind === "status" && TERMINAL_STATUSES.includes(entry.change.status)) ended = entry.change.status;
  }
  return next;
}

/** Checks that a run has succeeded with an exact history, and takes its fingerprint. */
export async function fingerprint(redis: AnnealRedis, id: string): Promise<Fingerprint> {
  const log = await wholeLog(redis, id);
  const steps = checkHistory(log);
  const last = log.at(-1);
  assert.ok(last?.kind === "status", "the log ends with a status");
  assert.equal(last.change.status, "succeeded", last.change.reason);
  const lr = createHash("sha256");
  const loss = createHash("sha256");
  for (const entry of log) {
    if (entry.kind !== "chunk") continue;
    lr.update(new Uint8Array(entry.chunk.lr.buffer, entry.chunk.lr.byteOffset, entry.chunk.lr.byteLength));
    loss.update(new Uint8Array(entry.chunk.loss.buffer, entry.chunk.loss.byteOffset, entry.chunk.loss.byteLength));
  }
  const { loop, engine } = await redis.hgetallBuffer(checkpointKey(id));
  const weights = createHash("sha256").update(loop!).update(engine!).digest("hex");
  return { steps, metrics: lr.digest("hex") + loss.digest("hex"), weights };
}

/** The log without its columns, for keeping. */
export function outline(log: readonly LogEntry[]): unknown[] {
  return log.map((entry) =>
    entry.kind === "chunk" ? [entry.id, entry.chunk.from, entry.chunk.lr.length] : [entry.id, entry.kind, entry],
  );
}
