import assert from "node:assert/strict";
import { describe } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { CRASH_LIMIT } from "../../src/train/run-training.js";
import { count, FULL, hold, longPromise, patience, twin } from "./harness/passes.js";
import type { Twin } from "./harness/process.js";
import { until } from "./harness/process.js";
import { Scene, SMALL } from "./harness/scene.js";

const POISON_SEED = 666;

/** Workers under a supervisor: whenever one dies it is started again. */
function supervise(
  scene: Scene,
  count: number,
  lockMs: number,
  twin: Twin,
): { deaths(): number; stop(): Promise<void> } {
  let deaths = 0;
  let stopping = false;
  const keepUp = async () => {
    for (;;) {
      const worker = scene.spawn("worker", { WORKER_CONCURRENCY: 3, LOCK_DURATION_MS: lockMs }, twin);
      while (!worker.over && !stopping) await delay(20);
      if (stopping) return worker.end();
      deaths++;
    }
  };
  const watching = Promise.all(Array.from({ length: count }, keepUp));
  return {
    deaths: () => deaths,
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

/** A run that goes well, one that is slow to make its first commit, and beside them one that kills its worker. */
async function poisoned(workers: number, lockMs: number, twin: Twin) {
  const scene = await Scene.open();
  const api = await scene.api();
  const supervised = supervise(scene, workers, lockMs, twin);
  try {
    // Long: it trains until the poison is judged.
    const beside = await api.create({ steps: 10_000_000 });
    await until("it trains", async () => (await scene.committed(beside.id)) > 0);
    // A step of it takes longer than the poison to kill.
    const slow = await api.create({ steps: 1, batchSize: "full", datasetLimit: 20_000, engine: "reference" });
    await until("it has begun", async () => (await scene.status(slow.id)) === "running");
    const poison = await api.create({ ...SMALL, steps: 1000, seed: POISON_SEED, labels: [slow.id, beside.id] });
    let watching = true;
    const silence = longestSilence(scene, beside.id, () => !watching);
    const judged = async () => supervised.deaths() > CRASH_LIMIT || (await scene.status(poison.id)) === "failed";
    await until("the poison is judged", judged, patience(60_000));
    watching = false;
    assert.equal(await scene.status(beside.id), "running");
    assert.equal(supervised.deaths(), CRASH_LIMIT, "deaths of a worker");
    assert.match((await scene.record(poison.id)).reason!, /died 4 times/);
    const { status, reason } = await scene.over(slow.id);
    assert.equal(status, "succeeded", `the slow one ${reason}`);
    return await silence;
  } finally {
    await supervised.stop();
    await scene.close();
  }
}

longPromise(
  `promise 6: a run that kills its worker is failed after ${CRASH_LIMIT} crashes, and those beside it are not`,
  async () => {
    const lockMs = count(2000, 3000);
    const silence = await poisoned(2, lockMs, "poison");
    console.log(
      `# promise 6: lock ${lockMs} ms, ${CRASH_LIMIT} deaths; a run beside was silent for at most ${silence.toFixed(0)} ms`,
    );
    if (FULL) hold("the silence of the run beside", silence, 2 * lockMs);
  },
);

describe("promise 6, twins", { concurrency: true }, () => {
  twin("without the crash limit, the poison kills on", async () => {
    await assert.rejects(poisoned(1, 1000, "poison-without-limit"), /deaths of a worker/);
  });

  twin("where those that died together begin again together, the slow one is called poison too", async () => {
    await assert.rejects(poisoned(1, 1000, "poison-without-suspects"), /the slow one the worker died 4 times/);
  });
});
