import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { CRASH_LIMIT } from "../../src/train/run-training.js";
import type { ServiceProcess, Twin } from "./harness/process.js";
import { until } from "./harness/process.js";
import { Scene, SMALL } from "./harness/scene.js";

/** Of the test profile: see harness/process.ts. */
const LOCK_MS = 1000;
const POISON_SEED = 666;

/** A worker under a supervisor: whenever it dies it is started again. */
function supervise(scene: Scene, twin: Twin): { starts(): number; stop(): Promise<void> } {
  let starts = 0;
  let stopping = false;
  let worker: ServiceProcess;
  const watching = (async () => {
    while (!stopping) {
      worker = scene.spawn("worker", { WORKER_CONCURRENCY: 3 }, twin);
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

/** The longest time, in ms, in which a run committed nothing, from now until `ended`. */
async function longestSilence(scene: Scene, id: string, ended: () => boolean): Promise<number> {
  let longest = 0;
  let last = await scene.committed(id);
  let at = performance.now();
  while (!ended()) {
    await delay(10);
    const committed = await scene.committed(id);
    longest = Math.max(longest, performance.now() - at);
    if (committed === last) continue;
    last = committed;
    at = performance.now();
  }
  return longest;
}

/** A worker trains a run that goes well; then it is given one that kills it, and one that is slow to make its first commit. */
async function poisoned(twin: Twin, withinMs: number) {
  const scene = await Scene.open();
  const api = await scene.api();
  const supervised = supervise(scene, twin);
  try {
    const beside = await api.create({ ...SMALL, steps: 10_000_000 });
    await until("it trains", async () => (await scene.committed(beside.id)) > 0);
    // On the whole of the dataset a step takes longer than the poison to kill.
    const [poison, slow] = await Promise.all([
      api.create({ ...SMALL, steps: 1000, seed: POISON_SEED }),
      api.create({ steps: 3, batchSize: "full", seed: 1 }),
    ]);
    let over = false;
    const silence = longestSilence(scene, beside.id, () => over);
    const ends = Promise.all([scene.over(poison.id, withinMs), scene.over(slow.id, withinMs)]);
    const [poisonEnd, slowEnd] = await ends.finally(() => {
      over = true;
    });
    return { poisonEnd, slowEnd, silence: await silence, starts: supervised.starts() };
  } finally {
    await supervised.stop();
    await scene.close();
  }
}

test(`promise 6: a run that kills its worker is failed after ${CRASH_LIMIT} crashes, and those beside it are not`, async () => {
  const { poisonEnd, slowEnd, silence, starts } = await poisoned("poison", 60_000);
  console.log(
    `# promise 6: ${starts} starts of the worker; the run beside was silent for at most ${silence.toFixed(0)} ms`,
  );
  assert.equal(poisonEnd.status, "failed");
  assert.match(poisonEnd.reason!, /died 4 times/);
  assert.equal(slowEnd.status, "succeeded", slowEnd.reason ?? "");
  assert.equal(starts, CRASH_LIMIT + 1);
  assert.ok(silence < 2 * LOCK_MS, `the run beside was silent for ${silence} ms`);
});

describe("promise 6, twins", { concurrency: true }, () => {
  test("without the crash limit, the poison never ends", async () => {
    await assert.rejects(poisoned("poison-without-limit", 8_000), /in vain/);
  });

  test("where those that died together begin again together, the slow one is called poison too", async () => {
    const { slowEnd } = await poisoned("poison-without-suspects", 60_000);
    assert.equal(slowEnd.status, "failed");
    assert.match(slowEnd.reason!, /died 4 times/);
  });
});
