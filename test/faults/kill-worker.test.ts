import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { RunRequest } from "../../src/spec/run.js";
import { type Chance, count, createChance, FULL, keepHistory } from "./harness/chance.js";
import { type Fingerprint, fingerprint, outline, wholeLog } from "./harness/history.js";
import { type Twin, until } from "./harness/process.js";
import { type FailPoint, FaultyLink } from "./harness/proxy.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";

const REQUEST: RunRequest = { ...SMALL, steps: count(400_000, 2_000_000), schedule: "cyclic" };
const KILLS = count(4, 20);
const WHEN: readonly (FailPoint | "any time")[] = ["before", "inside", "after", "any time"];

/** What the twin writes its checkpoint with; the service itself has no such command. */
const SECOND_WRITE = Buffer.from("$4\r\nhset\r\n");

let scene: Scene;
let api: Api;
let oracle: Fingerprint;
before(async () => {
  scene = await Scene.open();
  api = await scene.api();
  oracle = await scene.undisturbed(api, REQUEST);
});
after(() => scene.close());

async function reached(id: string, goal: number): Promise<boolean> {
  const { status, committed } = await scene.record(id);
  return committed >= goal || status === "failed";
}

/** Trains a run whose worker is killed again and again, each time at another moment; the longest recovery in ms. */
async function torment(chance: Chance, id: string, kills: number, twin?: Twin): Promise<number> {
  const link = await FaultyLink.to(scene.redis.url);
  let slowest = 0;
  let worker = scene.spawn("worker", {}, twin, link.url);
  try {
    for (let kill = 0; kill < kills; kill++) {
      const goal = ((kill + chance.next()) / kills) * REQUEST.steps * 0.8;
      await until(`step ${goal} is committed`, () => reached(id, goal), 60_000);
      if ((await scene.status(id)) === "failed") break;
      const when = WHEN[kill % WHEN.length]!;
      if (when === "any time") await delay(chance.between(0, 40));
      else {
        const trapped = twin === undefined ? link.trapCommit(when) : link.trapCommit("before", SECOND_WRITE);
        await Promise.race([trapped, delay(3000)]);
      }
      await worker.end("SIGKILL");
      const committed = await scene.committed(id);
      // The next process is ready to go on at once, as under any supervisor; its start is not what is measured.
      worker = scene.spawn("worker", {}, twin, link.url);
      const killedAt = performance.now();
      await until("it goes on", () => reached(id, Math.min(committed + 1, REQUEST.steps)));
      slowest = Math.max(slowest, performance.now() - killedAt);
    }
    await scene.over(id, 300_000);
  } finally {
    await worker.end();
    await link.close();
  }
  return slowest;
}

test(`promise 1: ${KILLS} kill -9 of the worker over one run of ${REQUEST.steps} steps change no byte`, async () => {
  const chance = createChance("promise 1");
  const { id } = await api.create(REQUEST);
  try {
    const slowest = await torment(chance, id, KILLS);
    console.log(`# slowest recovery ${slowest.toFixed(0)} ms, starting the process included`);
    assert.deepEqual(await fingerprint(scene.direct, id), oracle);
    assert.ok(slowest < (FULL ? 4000 : 10_000), `a recovery took ${slowest} ms`);
  } catch (error) {
    keepHistory("promise 1", chance.seed, outline(await wholeLog(scene.direct, id)));
    throw error;
  }
});

test("promise 1, twin: with metrics and checkpoint written apart, the same check fails", async () => {
  const chance = createChance("promise 1 twin");
  const { id } = await api.create(REQUEST);
  await torment(chance, id, 3, "split-commit");
  await assert.rejects(async () => assert.deepEqual(await fingerprint(scene.direct, id), oracle));
});
