import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { CRASH_LIMIT } from "../../src/train/run-training.js";
import { createChance } from "./harness/chance.js";
import type { ServiceProcess, Twin } from "./harness/process.js";
import { Scene, SMALL } from "./harness/scene.js";

/** A worker under a supervisor: whenever it dies it is started again. */
function supervise(scene: Scene, twin: Twin): { starts(): number; stop(): Promise<void> } {
  let starts = 0;
  let stopping = false;
  let worker: ServiceProcess;
  const watching = (async () => {
    while (!stopping) {
      worker = scene.spawn("worker", { WORKER_CONCURRENCY: 2 }, twin);
      starts++;
      while (!worker.over && !stopping) await delay(20);
    }
    await worker!.end();
  })();
  return {
    starts: () => starts,
    stop: async () => {
      stopping = true;
      await watching;
    },
  };
}

async function poisoned(twin: Twin, withinMs: number) {
  const scene = await Scene.open();
  const api = await scene.api();
  // Its seed tells the preloaded twin "poison" to end the process when an engine for it is made.
  const poison = await api.create({ ...SMALL, steps: 1000, seed: 666 });
  const healthy = await api.create({ ...SMALL, steps: 150_000, seed: 1 });
  const supervised = supervise(scene, twin);
  try {
    const other = await scene.over(healthy.id, withinMs);
    const bad = await scene.over(poison.id, withinMs);
    return { other, bad, starts: supervised.starts() };
  } finally {
    await supervised.stop();
    await scene.close();
  }
}

test(`promise 6: a run that kills its worker is failed after ${CRASH_LIMIT} crashes, and one beside it is not`, async () => {
  createChance("promise 6");
  const { other, bad, starts } = await poisoned("poison", 60_000);
  assert.equal(bad.status, "failed");
  assert.match(bad.reason!, /died 4 times/);
  assert.equal(other.status, "succeeded", other.reason ?? "");
  console.log(`# ${starts} starts of the worker`);
  assert.equal(starts, CRASH_LIMIT + 1);
});

test("promise 6, twin: without the crash limit, the poison never ends", async () => {
  await assert.rejects(poisoned("poison-without-limit", 8_000), /in vain/);
});
