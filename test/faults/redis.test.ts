import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { RunRequest } from "../../src/spec/run.js";
import { count, createChance, FULL } from "./harness/chance.js";
import { fingerprint } from "./harness/history.js";
import { until } from "./harness/process.js";
import { FaultyLink } from "./harness/proxy.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";
import { listen, Seen } from "./harness/subscriber.js";

const REQUEST: RunRequest = { ...SMALL, steps: count(400_000, 2_000_000), schedule: "cyclic" };
const opened: Scene[] = [];
after(() => Promise.all(opened.map((scene) => scene.close())));
async function open(): Promise<Scene> {
  const scene = await Scene.open();
  opened.push(scene);
  return scene;
}

const KILLS = count(3, 15);

test(`promise 3: ${KILLS} kill -9 of Redis lose no run, no step that was sent, and no process`, async () => {
  const chance = createChance("promise 3");
  const scene = await open();
  const api = await scene.api();
  const oracle = await scene.undisturbed(api, REQUEST);
  const worker = scene.spawn("worker", { WORKER_CONCURRENCY: 2 });
  const runs = await Promise.all([1, 2, 3, 4].map(() => api.create(REQUEST)));
  const seen = runs.map(() => new Seen());
  const followers = runs.map((run, i) => listen(api.url, run.id, "websocket", seen[i]!, Number.POSITIVE_INFINITY));
  const accepted: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    await delay(chance.between(100, FULL ? 1500 : 600));
    const posts = Promise.all(
      [1, 2, 3].map(() =>
        api.create({ steps: 1 }).then(
          ({ id }) => accepted.push(id),
          () => {},
        ),
      ),
    );
    await delay(chance.between(0, 5));
    await scene.redis.kill();
    await posts;
    await scene.redis.restart();
    for (const id of accepted) assert.notEqual(await scene.runs.get(id), null, `${id} was answered 202 and is gone`);
    for (const [i, run] of runs.entries()) {
      const stored = await scene.committed(run.id);
      assert.ok(seen[i]!.next <= stored, `step ${seen[i]!.next - 1} was sent; ${stored} are stored`);
    }
  }
  for (const { id } of runs) {
    await scene.over(id, 120_000);
    assert.deepEqual(await fingerprint(scene.direct, id), oracle);
  }
  await Promise.all(followers);
  for (const { next } of seen) assert.equal(next, REQUEST.steps);
  for (const id of accepted) await scene.over(id);
  assert.ok(!worker.over && !api.process.over, "a process has died");
});

async function answeredWithin(ms: number, api: Api): Promise<number> {
  const startedAt = performance.now();
  const { status } = await api.post("/v1/runs", { steps: 1, name: "while away" });
  const took = performance.now() - startedAt;
  assert.ok(took <= ms, `answered ${status} after ${took} ms`);
  return status;
}

for (const seconds of FULL ? [3, 12, 30, 90] : [3]) {
  test(`promise 4: Redis away for ${seconds} s: 503 at once, no ghost, training goes on by itself`, async () => {
    const scene = await open();
    // Away as a cut network is: nothing answers, the sockets stay open.
    const link = await FaultyLink.to(scene.redis.url);
    const api = await scene.api({}, link.url);
    const worker = scene.spawn("worker", {}, undefined, link.url);
    try {
      const done = await api.create({ ...SMALL, steps: 100 });
      const finished = await scene.over(done.id);
      const { id } = await api.create({ ...SMALL, steps: 10_000_000 });
      await until("it trains", async () => (await scene.committed(id)) > 0);
      link.hold(true);
      assert.equal(await answeredWithin(1500, api), 503);
      await until("readiness is red", async () => (await fetch(`${api.url}/readyz`)).status === 503, 5000);
      for (const end = Date.now() + seconds * 1000 - 1000; Date.now() < end; await delay(500)) {
        assert.equal(await answeredWithin(1500, api), 503);
      }
      link.hold(false);
      const committed = await scene.committed(id);
      const backAt = performance.now();
      await until("training resumes", async () => (await scene.committed(id)) > committed, 25_000);
      console.log(`# away ${seconds} s: training resumed after ${(performance.now() - backAt).toFixed(0)} ms`);
      await until("the API is ready", async () => (await fetch(`${api.url}/readyz`)).status === 200, 25_000);
      await api.act(id, "cancel");
      await scene.over(id);
      await delay(7000);
      for (const run of await scene.runs.list({ limit: 100 })) {
        if (run.spec.name === "while away") assert.equal(run.attempts, 0, "the client was told that it had failed");
      }
      assert.deepEqual(await scene.record(done.id), finished, "a finished run was touched");
      assert.ok(!worker.over && !api.process.over, "a process has died");
    } finally {
      await link.close();
    }
  });
}

test("promise 18: a full Redis: 507, cancel and delete work, live runs wait and finish exact", async () => {
  createChance("promise 18");
  const scene = await open();
  const api = await scene.api();
  const oracle = await scene.undisturbed(api, REQUEST);
  scene.spawn("worker", { WORKER_CONCURRENCY: 2 });
  const [live, doomed, over] = await Promise.all([
    api.create(REQUEST),
    api.create({ ...SMALL, steps: 10_000_000 }),
    api.create({ steps: 1 }),
  ]);
  await until("both train", async () => (await scene.committed(live.id)) > 0 && (await scene.committed(doomed.id)) > 0);
  await scene.direct.config("SET", "maxmemory", "1mb");
  assert.equal((await api.post("/v1/runs", { steps: 1 })).status, 507);
  const waiting = await scene.committed(live.id);
  assert.equal((await api.act(doomed.id, "cancel")).status, 202);
  await until("the cancel is done", async () => (await scene.status(doomed.id)) === "canceled", 3000);
  const deleted = await fetch(`${api.url}/v1/runs/${doomed.id}`, { method: "DELETE" });
  assert.equal(deleted.status, 204);
  await delay(3000);
  assert.equal(await scene.status(live.id), "running");
  assert.equal(await scene.committed(live.id), waiting, "a commit went through a full store");
  await scene.direct.config("SET", "maxmemory", "0");
  await scene.over(live.id);
  assert.deepEqual(await fingerprint(scene.direct, live.id), oracle);
  await scene.over(over.id);
});

test("promise 18: the service refuses to start on a Redis that evicts", async () => {
  const scene = await open();
  await scene.direct.config("SET", "maxmemory-policy", "allkeys-lru");
  for (const part of ["api", "worker"] as const) {
    const process = scene.spawn(part);
    await process.says(/cannot start: .*noeviction/);
    await until("it has ended", () => process.over);
    assert.equal(await process.end(), 1);
  }
});
