import assert from "node:assert/strict";
import { after, before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { RunRequest } from "../../src/schemas/run.js";
import { CRASH_LIMIT } from "../../src/train/run-training.js";
import { type Chance, createChance, keepHistory, summary } from "./harness/chance.js";
import { type Fingerprint, fingerprint, outline, wholeLog } from "./harness/history.js";
import { count, hold, patience, promise, twin } from "./harness/passes.js";
import { type ServiceProcess, type Twin, until } from "./harness/process.js";
import { type FailPoint, FaultyLink } from "./harness/proxy.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";

const REQUEST: RunRequest = { ...SMALL, steps: count(700_000, 3_000_000), schedule: "cyclic" };
const WHEN: readonly (FailPoint | "any time")[] = ["before", "inside", "after", "any time"];
/** The short pass leaves out "any time". */
const KILLS = count(WHEN.length - 1, 20);
/** Between a kill and the next commit. */
const LOST_MS = 2000;

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

/** Trains a run whose worker is killed again and again, each time at another moment; the milliseconds lost each time. */
async function torment(chance: Chance, id: string, kills: number, twin?: Twin): Promise<number[]> {
  const link = await FaultyLink.to(scene.redis.url);
  const lost: number[] = [];
  // Another stands by, as under any supervisor.
  const workers: ServiceProcess[] = [
    scene.spawn("worker", {}, twin, link.url),
    scene.spawn("worker", {}, twin, link.url),
  ];
  try {
    for (let kill = 0; kill < kills; kill++) {
      const goal = ((kill + chance.next()) / kills) * REQUEST.steps * 0.6;
      await until(`step ${goal} is committed`, () => reached(id, goal), patience(60_000));
      if ((await scene.status(id)) === "failed") break;
      const holder = await scene.holder(id, workers);
      const when = WHEN[kill % WHEN.length]!;
      if (twin === "split-commit") await link.trapCommit("before", [SECOND_WRITE]);
      // A twin's commit is another script, which the trap does not know.
      else if (twin !== undefined || when === "any time") await delay(chance.between(0, 40));
      else await link.trapCommit(when);
      const killedAt = performance.now();
      await holder.end("SIGKILL");
      const committed = await scene.committed(id);
      // After the last kill the one that stood by is enough.
      if (kill < kills - 1) workers[workers.indexOf(holder)] = scene.spawn("worker", {}, twin, link.url);
      await until("it goes on", () => reached(id, Math.min(committed + 1, REQUEST.steps)));
      lost.push(performance.now() - killedAt);
    }
    await scene.over(id, 300_000);
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
    await link.close();
  }
  return lost;
}

promise(`promise 1: ${KILLS} kill -9 of the worker over one run of ${REQUEST.steps} steps change no byte`, async () => {
  const chance = createChance("promise 1");
  const { id } = await api.create(REQUEST);
  try {
    const lost = await torment(chance, id, KILLS);
    console.log(`# promise 1: ${KILLS} kills in ${REQUEST.steps} steps; ms lost a kill: ${summary(lost)}`);
    assert.deepEqual(await fingerprint(scene.direct, id), oracle);
    assert.equal(lost.length, KILLS);
    hold("to go on after a kill", Math.max(...lost), LOST_MS);
  } catch (error) {
    keepHistory("promise 1", chance.seed, outline(await wholeLog(scene.direct, id)));
    throw error;
  }
});

twin("promise 1, twin: with metrics and checkpoint written apart, the same check fails", async () => {
  const chance = createChance("promise 1 twin");
  const { id } = await api.create(REQUEST);
  await torment(chance, id, 3, "split-commit");
  await assert.rejects(async () => assert.deepEqual(await fingerprint(scene.direct, id), oracle));
});

twin(
  "promise 6, twin: where a commit does not clear the crashes before it, a run that progresses is called poison",
  async () => {
    const chance = createChance("promise 6 twin");
    const { id } = await api.create(REQUEST);
    await torment(chance, id, CRASH_LIMIT + 1, "progress-forgotten");
    await assert.rejects(fingerprint(scene.direct, id), /died 4 times/);
  },
);
