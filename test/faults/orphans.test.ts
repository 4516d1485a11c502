import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { createChance } from "./harness/chance.js";
import { count, hold, patience, promise, twin } from "./harness/passes.js";
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

const KILLS = count(1, 50);
const GONE_WITHIN_MS = 1000;

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
      const killedAt = performance.now();
      const left = async () => [
        ...below.filter((pid) => existsSync(`/proc/${pid}`)).map((pid) => `process ${pid} outlived its worker`),
        ...((await clients()) === baseline.clients ? [] : ["Redis clients are left"]),
        ...(descriptors() <= baseline.descriptors ? [] : ["descriptors of the API are left"]),
      ];
      await until("nothing is left", async () => (await left()).length === 0, patience(GONE_WITHIN_MS)).catch(
        async () => {
          assert.deepEqual(await left(), []);
        },
      );
      hold("to leave nothing behind", performance.now() - killedAt, GONE_WITHIN_MS);
    }
    console.log(`# ${kills} kills: no process left, ${baseline.clients} Redis clients before and after each`);
  } finally {
    for (const pid of below) if (existsSync(`/proc/${pid}`)) process.kill(pid, "SIGKILL");
    await scene.close();
  }
}

promise(`promise 7: ${KILLS} kill -9 of a training worker leave no process, descriptor or Redis client behind`, () =>
  leaveBehind(KILLS),
);

twin("promise 7, twin: with runs trained by child processes, the same check fails", async () => {
  await assert.rejects(leaveBehind(1, "forked-training"), /outlived its worker/);
});
