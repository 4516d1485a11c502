import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { RunRequest } from "../../src/schemas/run.js";
import { createChance } from "./harness/chance.js";
import { fingerprint } from "./harness/history.js";
import { count, longPromise, promise, twin } from "./harness/passes.js";
import { type Twin, until } from "./harness/process.js";
import { Scene, SMALL } from "./harness/scene.js";
import { exported, listen, Seen } from "./harness/subscriber.js";

/** Slow steps: a follower that takes hundreds of thousands a second sees too late how far its run is. */
const SLOW = { ...SMALL, batchSize: 512 };
const REQUEST: RunRequest = { ...SLOW, steps: count(60_000, 700_000), schedule: "cyclic" };
const FILLS = count(1, 5);

/** Fills Redis again and again under a live run, and controls others meanwhile. */
async function fill(fills: number, twin?: Twin): Promise<void> {
  const chance = createChance("promise 18");
  const scene = await Scene.open();
  try {
    const api = await scene.api({}, scene.redis.url, twin);
    const oracle = twin === undefined ? await scene.undisturbed(api, REQUEST) : null;
    scene.spawn("worker", { WORKER_CONCURRENCY: 2 });
    const trains = (id: string, after: number) => until("it trains", async () => (await scene.committed(id)) > after);
    let doomed = await api.create({ ...SLOW, steps: 10_000_000 });
    // Its thread has started by now: the live run, which is short, gets no head start.
    await trains(doomed.id, 0);
    const live = await api.create(REQUEST);
    const seen = new Seen();
    const follower = listen(api.url, live.id, "websocket", seen, Number.POSITIVE_INFINITY).catch(() => 1006);
    for (let i = 0; i < fills; i++) {
      if (i > 0) doomed = await api.create({ ...SLOW, steps: 10_000_000 });
      const waiting = await api.create({ steps: 1 });
      await trains(doomed.id, 0);
      await trains(live.id, ((i + chance.next()) / fills) * REQUEST.steps * 0.5);
      // Less than an empty one takes: what is deleted below makes no space.
      await scene.direct.config("SET", "maxmemory", "1");
      const refused = await api.post("/v1/runs", { steps: 1 });
      assert.equal(refused.status, 507);
      const stored = await scene.committed(live.id);
      for (const { id } of [doomed, waiting]) {
        assert.equal((await api.act(id, "cancel")).status, 202, "cancel");
        await until("the cancel is done", async () => (await scene.status(id)) === "canceled");
        const deleted = await fetch(`${api.url}/v1/runs/${id}`, { method: "DELETE" });
        assert.equal(deleted.status, 204, "delete");
      }
      await delay(chance.between(500, 1500));
      assert.equal(await scene.status(live.id), "running");
      assert.equal(await scene.committed(live.id), stored, "a commit went through a full store");
      await scene.direct.config("SET", "maxmemory", "0");
      const backAt = performance.now();
      await until("training goes on", async () => (await scene.committed(live.id)) > stored);
      console.log(
        `# full at step ${stored}: training on ${(performance.now() - backAt).toFixed(0)} ms after there was space`,
      );
    }
    await scene.over(live.id, 300_000);
    assert.deepEqual(await fingerprint(scene.direct, live.id), oracle);
    await follower;
    assert.equal(seen.digest(), await exported(api.url, live.id));
  } finally {
    await scene.close();
  }
}

promise(`promise 18: ${FILLS} times a full Redis: 507, cancel and delete work, live runs wait and finish exact`, () =>
  fill(FILLS),
);

twin("promise 18, twin: where cancel needs memory like any other write, the same check fails", async () => {
  await assert.rejects(fill(1, "refused-when-full"), /cancel/);
});

longPromise("promise 18: the service refuses to start on a Redis that evicts", async () => {
  const scene = await Scene.open();
  try {
    await scene.direct.config("SET", "maxmemory-policy", "allkeys-lru");
    for (const part of ["api", "worker"] as const) {
      const process = scene.spawn(part);
      await process.says(/cannot start: .*noeviction/);
      await until("it has ended", () => process.over);
      assert.equal(await process.end(), 1);
    }
  } finally {
    await scene.close();
  }
});
