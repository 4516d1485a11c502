import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { observe } from "../../src/bin/observability.js";
import { startApi } from "../../src/bin/start-api.js";
import { startWorker } from "../../src/bin/start-worker.js";
import type { Run, RunRequest } from "../../src/schemas/run.js";
import { STORED_FORMAT } from "../../src/schemas/stored.js";
import { DEFAULT_TENANT } from "../../src/schemas/tenant.js";
import { type AnnealRedis, connect } from "../../src/store/connect.js";
import { RedisDatasetStore } from "../../src/store/datasets.js";
import { formatProblem } from "../../src/store/format.js";
import { FINISHED_KEY, FORMAT_KEY, logKey, runKey } from "../../src/store/keys.js";
import { RedisRunStore } from "../../src/store/runs.js";
import { RedisSearchStore } from "../../src/store/searches.js";
import { startRedis, type TestRedis } from "../redis.js";
import { columnsOf, readStream, testConfig } from "../service.js";

/** What make-dump.mjs has written with the last build that knew format 1. */
interface Dump {
  readonly ids: Readonly<
    Record<
      | "finished"
      | "onDataset"
      | "diverged"
      | "evaluated"
      | "forked"
      | "replicas"
      | "paused"
      | "queued"
      | "waiting"
      | "search"
      | "waitsFor",
      string
    >
  > & { readonly children: readonly string[] };
  readonly statuses: Readonly<Record<string, string>>;
  /** The request that the paused run was made from. */
  readonly paused: RunRequest;
  /** By key, DUMP's payload in base64. */
  readonly entries: Readonly<Record<string, string>>;
}

const dump = JSON.parse(readFileSync(new URL("../../../test/store/format-1.json", import.meta.url), "utf8")) as Dump;
const { ids, statuses } = dump;

let server: TestRedis;
let redis: AnnealRedis;
before(async () => {
  server = await startRedis();
  redis = connect(server.url, "patient");
});
after(async () => {
  redis.disconnect();
  await server.stop();
});

async function restore(): Promise<void> {
  await redis.flushall();
  await Promise.all(
    Object.entries(dump.entries).map(([key, payload]) => redis.restore(key, 0, Buffer.from(payload, "base64"))),
  );
}

/** SHA-256 of a run's metrics and final state, as they are stored. */
async function digest(id: string): Promise<string> {
  const hash = createHash("sha256");
  const chunks: Buffer[] = [];
  for (const [, fields] of (await redis.xrangeBuffer(logKey(id), "-", "+")) as [Buffer, Buffer[]][]) {
    if (fields[0]!.toString() === "m") chunks.push(fields[1]!);
  }
  // Chunks are cut by time: the columns of all of them, not the chunks, must be the same.
  const counts = chunks.map((chunk) => chunk.length / 12);
  for (const [i, chunk] of chunks.entries()) hash.update(chunk.subarray(0, counts[i]! * 8));
  for (const [i, chunk] of chunks.entries()) hash.update(chunk.subarray(counts[i]! * 8));
  const { loop, engine } = await redis.hgetallBuffer(`${runKey(id)}:checkpoint`);
  return hash.update(loop!).update(engine!).digest("hex");
}

test("a Redis of format 1 is brought to the present one, once, and everything in it is read", async () => {
  await restore();
  assert.equal(await redis.get(FORMAT_KEY), null);
  assert.equal(await formatProblem(redis), null);
  assert.equal(await redis.get(FORMAT_KEY), String(STORED_FORMAT));
  const runs = new RedisRunStore(redis);
  const { records: listed } = await runs.list({ limit: 100 });
  // From before there were tenants: it is the default one's, and no other's.
  const [own, other] = [new RedisRunStore(redis, DEFAULT_TENANT), new RedisRunStore(redis, "other")];
  assert.deepEqual((await own.list({ limit: 100 })).records, listed);
  assert.equal((await own.get(ids.finished))?.tenant, DEFAULT_TENANT);
  assert.deepEqual([(await other.list({ limit: 100 })).records, await other.get(ids.finished)], [[], null]);
  const expected = [...ids.children, ...Object.keys(statuses).map((name) => ids[name as "finished"])];
  assert.deepEqual(new Set(listed.map(({ id }) => id)), new Set(expected));
  for (const [name, status] of Object.entries(statuses)) {
    const run = listed.find(({ id }) => id === ids[name as "finished"])!;
    assert.deepEqual([name, run.status, run.parent], [name, status, null]);
  }
  assert.deepEqual(
    (await runs.list({ limit: 9, label: "old" })).records.map(({ id }) => id),
    [ids.queued, ids.finished],
  );
  assert.deepEqual(await runs.keptSteps(ids.evaluated), [100, 200, 300]);
  assert.equal((await runs.checkpointAt(ids.evaluated, 200))?.loop.step, 200);
  assert.equal(
    (await runs.checkpoint(ids.diverged))?.loop.diverged?.step,
    (await runs.get(ids.diverged))!.result!.firstBadStep,
  );
  assert.equal((await runs.get(ids.forked))!.spec.from!.run, ids.evaluated);
  assert.deepEqual(await runs.waiting(), [{ id: ids.waiting, waitsFor: ids.waitsFor }]);
  assert.equal(await redis.zscore(FINISHED_KEY, ids.finished), String((await runs.get(ids.finished))!.finishedAt));
  const searches = new RedisSearchStore(redis);
  // Those of format 1 were of another kind.
  assert.deepEqual((await searches.list({ limit: 9 })).records, []);
  assert.equal(await searches.get(ids.search), null);
  assert.deepEqual(
    (await new RedisDatasetStore(redis).list()).map(({ name, statistics }) => [name, statistics.items]),
    [["towns", 10]],
  );
});

test("its runs stream, and its paused run resumes to the bytes of one that was never paused", async () => {
  await restore();
  const config = testConfig(server.url);
  const observability = await observe(config);
  const api = await startApi(config, observability);
  const worker = await startWorker(config, observability);
  try {
    const { messages } = await readStream(api.url, ids.evaluated);
    const { loss } = columnsOf(messages);
    assert.ok(loss.length === 300 && loss.every((value) => Number.isFinite(value)));
    const post = (path: string, body: object) =>
      fetch(api.url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    assert.equal((await post(`/v1/runs/${ids.paused}/resume`, {})).status, 202);
    const whole = (await (await post("/v1/runs", dump.paused)).json()) as Run;
    for (const id of [ids.paused, whole.id]) await readStream(api.url, id);
    const runs = new RedisRunStore(redis);
    assert.equal((await runs.get(ids.paused))!.status, "succeeded");
    assert.ok((await runs.get(ids.paused))!.attempts > 1);
    assert.equal(await digest(ids.paused), await digest(whole.id));
    // The queued one had no job in the dump that this queue would know by itself but the reconciler's.
    await readStream(api.url, ids.queued);
    assert.equal((await runs.get(ids.queued))!.status, "succeeded");
  } finally {
    await worker.close();
    await api.close();
  }
});

test("a Redis of a newer format is refused with one line, and left alone", async () => {
  await redis.flushall();
  await redis.set(FORMAT_KEY, STORED_FORMAT + 1);
  const config = testConfig(server.url);
  const refusal = /^Redis holds data of format 3, from a newer version of Anneal; this one knows formats up to 2$/;
  for (const start of [startApi, startWorker]) {
    await assert.rejects(start(config, await observe(config)), (error: Error) => refusal.test(error.message));
  }
  assert.deepEqual(await redis.keys("anneal:*"), [FORMAT_KEY]);
});

test("stored JSON that is not what we write is an error that names the record and the place", async () => {
  await restore();
  const runs = new RedisRunStore(redis);
  const text = (await redis.hget(runKey(ids.finished), "spec"))!;
  const broken = (edit: (spec: Record<string, unknown>) => void) => {
    const spec = JSON.parse(text) as Record<string, unknown>;
    edit(spec);
    return redis.hset(runKey(ids.finished), "spec", JSON.stringify(spec));
  };
  const place = (what: RegExp) => (error: Error) => error.message.startsWith(ids.finished) && what.test(error.message);
  await broken((spec) => {
    spec.batchSize = "many";
  });
  await assert.rejects(runs.get(ids.finished), place(/batchSize/));
  await broken((spec) => {
    spec.schedule = { type: "sequential", schedules: [{ type: "constant", lr: "high" }], milestones: [] };
  });
  await assert.rejects(runs.get(ids.finished), place(/lr|milestones/));
  await broken((spec) => {
    spec.schedule = { type: "nonsense" };
  });
  await assert.rejects(runs.get(ids.finished), place(/no schedule is a nonsense/));
});
