import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { count, createChance } from "./harness/chance.js";
import { type Twin, until } from "./harness/process.js";
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

/** Kills a training worker again and again; throws when it leaves anything behind for longer than 1 s. */
async function leaveBehind(kills: number, twin?: Twin): Promise<void> {
  const chance = createChance("promise 7");
  const scene = await Scene.open();
  let below: number[] = [];
  try {
    const api = await scene.api();
    const { id } = await api.create({ ...SMALL, batchSize: 256, steps: 10_000_000 });
    const clients = async () => String(await scene.direct.client("LIST")).match(/^id=/gm)!.length;
    const descriptors = () => readdirSync(`/proc/${api.process.pid}/fd`).length;
    const baseline = { clients: await clients(), descriptors: descriptors() };
    for (let kill = 0; kill < kills; kill++) {
      const committed = await scene.committed(id);
      const worker = scene.spawn("worker", {}, twin);
      await until("it trains", async () => (await scene.committed(id)) > committed);
      await delay(chance.between(0, 100));
      below = descendantsOf(worker.pid);
      await worker.end("SIGKILL");
      await delay(1000);
      for (const pid of below) assert.ok(!existsSync(`/proc/${pid}`), `process ${pid} outlived its worker`);
      assert.equal(await clients(), baseline.clients, "Redis clients");
      assert.ok(descriptors() <= baseline.descriptors, "descriptors of the API");
    }
    console.log(`# ${kills} kills: no process left, ${baseline.clients} Redis clients before and after each`);
  } finally {
    for (const pid of below) if (existsSync(`/proc/${pid}`)) process.kill(pid, "SIGKILL");
    await scene.close();
  }
}

test(`promise 7: ${KILLS} kill -9 of a training worker leave no process, descriptor or Redis client behind`, () =>
  leaveBehind(KILLS));

test("promise 7, twin: with runs trained by child processes, the same check fails", async () => {
  await assert.rejects(leaveBehind(1, "forked-training"), /outlived its worker/);
});
