import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { count, createChance } from "./harness/chance.js";
import { until } from "./harness/process.js";
import { Scene, SMALL } from "./harness/scene.js";

/** All processes below one. */
function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || !existsSync(`/proc/${name}/stat`)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const found = [pid];
  for (const parent of found) for (const [child, its] of parents) if (its === parent) found.push(child);
  return found.slice(1);
}

const KILLS = count(4, 50);

test(`promise 7: ${KILLS} kill -9 of a training worker leave no process, descriptor or Redis client behind`, async () => {
  const chance = createChance("promise 7");
  const scene = await Scene.open();
  try {
    const api = await scene.api();
    const { id } = await api.create({ ...SMALL, steps: 10_000_000 });
    const clients = async () =>
      String(await scene.direct.client("LIST"))
        .trim()
        .split("\n").length;
    const baseline = await clients();
    const descriptors = readdirSync(`/proc/${api.process.pid}/fd`).length;
    for (let kill = 0; kill < KILLS; kill++) {
      const committed = await scene.committed(id);
      const worker = scene.spawn("worker");
      await until("it trains", async () => (await scene.committed(id)) > committed);
      await delay(chance.between(0, 100));
      const below = descendantsOf(worker.pid);
      await worker.end("SIGKILL");
      await delay(1000);
      for (const pid of below) assert.ok(!existsSync(`/proc/${pid}`), `process ${pid} outlived its worker`);
      assert.equal(await clients(), baseline, "Redis clients");
    }
    assert.ok(readdirSync(`/proc/${api.process.pid}/fd`).length <= descriptors + 2, "descriptors of the API");
  } finally {
    await scene.close();
  }
});

const SECONDS = count(10, 300);

test(`promise 13: two workers train for ${SECONDS} s beside a saturated API: nothing stalls, nothing starts twice`, async () => {
  const scene = await Scene.open();
  try {
    const api = await scene.api();
    const workers = [scene.spawn("worker"), scene.spawn("worker")];
    const runs = await Promise.all([1, 2].map((seed) => api.create({ ...SMALL, seed, steps: 10_000_000 })));
    const end = Date.now() + SECONDS * 1000;
    const load = async () => {
      while (Date.now() < end) await (await fetch(`${api.url}/v1/runs?limit=20`)).arrayBuffer();
    };
    await Promise.all(Array.from({ length: 16 }, load));
    for (const { id } of runs) {
      const { attempts, status } = await scene.record(id);
      if (status === "queued") continue;
      assert.equal(attempts, 1, `${id} was started ${attempts} times`);
    }
    assert.equal(await scene.refused(), 0);
    for (const worker of workers) assert.ok(!worker.over);
  } finally {
    await scene.close();
  }
});
