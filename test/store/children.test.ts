import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { DEFAULT_TENANT } from "../../src/schemas/tenant.js";
import { childrenKey, datasetUsersKey, FINISHED_KEY, runKey } from "../../src/store/keys.js";
import { RedisRunStore } from "../../src/store/runs.js";
import { RedisSearchStore } from "../../src/store/searches.js";
import { runSpec, searchSpec } from "./examples.js";
import { openRedis } from "./redis.js";

const PARENT = "search_00000000000000000001";
const run = (n: number) => `run_${String(n).padStart(20, "0")}`;
const CRASH_LIMIT = 4;

const redis = await openRedis();
const [runs, searches] = [new RedisRunStore(redis), new RedisSearchStore(redis)];
beforeEach(async () => {
  await redis.flushall();
  await searches.create(PARENT, searchSpec(), { traceId: "t" });
});

const createChild = (n: number) =>
  runs.create(run(n), runSpec({ seed: n, labels: ["mine"] }), { traceId: "t", parent: PARENT });

async function finish(id: string, store: RedisRunStore | RedisSearchStore = runs): Promise<void> {
  const claim = await (store as RedisRunStore).claim(id, `token of ${id}`, CRASH_LIMIT, 0, "worker");
  assert.ok(!("refused" in claim));
  await (store as RedisRunStore).finish(claim, "succeeded", null, null);
}

const idsOf = async (query: object) => (await runs.list({ limit: 100, ...query })).records.map(({ id }) => id);

test("children are in their parent's list alone, and their parent pins the dataset for them", async () => {
  await runs.create(run(9), runSpec({ labels: ["mine"] }), { traceId: "t" });
  for (const n of [3, 1, 2]) await createChild(n);
  assert.deepEqual((await runs.get(run(1)))!.parent, PARENT);
  for (const query of [{}, { label: "mine" }, { status: "queued" }, { dataset: "names" }]) {
    assert.deepEqual(await idsOf(query), [run(9)], JSON.stringify(query));
  }
  assert.deepEqual(await redis.zrange(datasetUsersKey("names", DEFAULT_TENANT), "0", "-1"), [run(9), PARENT]);
  assert.deepEqual(await idsOf({ parent: PARENT }), [run(1), run(2), run(3)]);
  assert.deepEqual(await idsOf({ parent: PARENT, limit: 2 }), [run(1), run(2)]);
  assert.deepEqual(await idsOf({ parent: PARENT, after: run(2) }), [run(3)]);
  await finish(run(2));
  assert.deepEqual(await idsOf({ parent: PARENT, status: "succeeded" }), [run(2)]);
  assert.deepEqual(await idsOf({ parent: PARENT, status: "queued", limit: 1, after: run(1) }), [run(3)]);
  assert.deepEqual(await idsOf({ parent: "search_00000000000000000002" }), []);
  assert.deepEqual(await idsOf({ status: "succeeded" }), []);
});

test("children are given jobs and counted as any other", async () => {
  await createChild(1);
  const refs = await runs.held();
  for await (const page of runs.queued()) refs.push(...page);
  assert.deepEqual(
    refs.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    [
      { id: run(1), epoch: 0 },
      { id: PARENT, epoch: 0 },
    ],
  );
  const { counts, longestWaitMs } = await runs.census();
  assert.equal(counts.queued, 2);
  assert.ok(longestWaitMs! >= 0);
  await finish(run(1));
  assert.deepEqual((await runs.census()).counts.succeeded, 1);
});

test("what waits is read page by page, children beside the others, each once; what is held, at once", async () => {
  const alone = (n: number) => run(1_000_000 + n);
  for (let n = 0; n < 600; n++) await runs.create(alone(n), runSpec(), { traceId: "t" });
  for (let n = 0; n < 3; n++) await createChild(n);
  for (const id of [run(0), alone(0)]) assert.ok(!("refused" in (await runs.claim(id, id, CRASH_LIMIT, 0, "w:1"))));
  await runs.pause(alone(1));
  const pages = [];
  for await (const page of runs.queued()) pages.push(page.map(({ id }) => id));
  assert.equal(pages.length, 3);
  assert.deepEqual(pages[0]!.slice(-2), [run(1), run(2)]);
  const waiting = [run(1), run(2), ...Array.from({ length: 598 }, (_, i) => alone(i + 2)), PARENT];
  assert.deepEqual(pages.flat().sort(), waiting.sort());
  assert.deepEqual((await runs.held()).map(({ id }) => id).sort(), [run(0), alone(0)].sort());
});

test("a child of nobody is not created", async () => {
  const parent = "search_00000000000000000007";
  assert.equal(await runs.create(run(1), runSpec(), { traceId: "t", parent }), "no-parent");
  assert.deepEqual(await redis.exists(runKey(run(1)), childrenKey(parent)), 0);
});

test("deleting a parent deletes its children, and leaves nothing of them", async () => {
  const keysBefore = await (async () => {
    await searches.delete(PARENT);
    return redis.keys("anneal:*");
  })();
  await searches.create(PARENT, searchSpec(), { traceId: "t" });
  for (const n of [1, 2]) await createChild(n);
  await finish(run(1));
  assert.equal(await searches.delete(PARENT), "deleted");
  assert.deepEqual((await redis.keys("anneal:*")).sort(), keysBefore.sort());
});

test("a parent with a child that a worker may hold stays, with all of its children", async () => {
  for (const n of [1, 2]) await createChild(n);
  const claim = await runs.claim(run(2), "t", CRASH_LIMIT, 0, "worker");
  assert.ok(!("refused" in claim));
  assert.equal(await searches.delete(PARENT), "conflict");
  await runs.cancel(run(2));
  assert.equal(await searches.delete(PARENT), "conflict");
  assert.deepEqual(await idsOf({ parent: PARENT }), [run(1), run(2)]);
  await runs.finish(claim, "succeeded", null, null);
  assert.equal(await searches.delete(PARENT), "deleted");
  assert.equal(await runs.get(run(1)), null);
});

test("a delete that was broken off between the children is completed by the next", async () => {
  for (const n of [1, 2, 3]) await createChild(n);
  assert.equal(await runs.delete(run(1)), "deleted");
  assert.notEqual(await searches.get(PARENT), null);
  assert.equal(await searches.delete(PARENT), "deleted");
  assert.equal(await searches.delete(PARENT), "gone");
  assert.equal(await runs.get(run(3)), null);
});

test("children go when their parent expires, and not before", async () => {
  for (const n of [1, 2]) await createChild(n);
  await finish(run(1));
  await finish(run(2));
  assert.equal(await runs.expire(0), 0);
  await finish(PARENT, searches);
  // Redis's clock has to have moved on.
  while ((await searches.expire(0)) === 0);
  for (const id of [PARENT, run(1), run(2)]) assert.equal(await redis.exists(runKey(id)), 0, id);
  assert.equal(await redis.exists(FINISHED_KEY), 0);
});

test("expiry finds what is due behind any number that is not, by the end and by Redis's clock", async () => {
  const old = run(999);
  const ids = [...Array.from({ length: 300 }, (_, n) => run(n)), old];
  for (const id of ids) {
    await runs.create(id, runSpec(), { traceId: "t" });
    await runs.cancel(id);
  }
  // The newest by its id ended an hour before the others.
  const finishedAt = (await runs.get(old))!.finishedAt! - 3_600_000;
  await redis.zadd(FINISHED_KEY, finishedAt, old);
  assert.equal(await runs.expire(1800), 1);
  assert.equal(await runs.get(old), null);
  assert.equal((await idsOf({ limit: 400 })).length, 300);
});

test("runs that wait are found without those that do not, until they wait no more", async () => {
  const waits = { traceId: "t", waitsFor: PARENT };
  for (const n of [1, 2, 3, 4]) await runs.create(run(n), runSpec(), n === 4 ? { traceId: "t" } : waits);
  const waiting = async () => (await runs.waiting()).map(({ id }) => id).sort();
  assert.deepEqual(
    await runs.waiting(),
    [1, 2, 3].map((n) => ({ id: run(n), waitsFor: PARENT })),
  );
  const autoLr = { search: PARENT, lr: 0.1, interval: [0.05, 0.2] as [number, number], why: "" };
  assert.equal(await runs.settle(run(1), runSpec({ steps: 11 }), autoLr), 0);
  assert.deepEqual((await runs.get(run(1)))!.autoLr, autoLr);
  assert.deepEqual(await waiting(), [run(2), run(3)]);
  await runs.failWaiting(run(2), "failed", "none found");
  assert.deepEqual([(await runs.get(run(2)))!.status, await waiting()], ["failed", [run(3)]]);
  await runs.cancel(run(3));
  assert.deepEqual(await waiting(), []);
  await runs.failWaiting(run(4), "failed", "it waits for nothing");
  assert.equal((await runs.get(run(4)))!.status, "queued");
});
