import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type RunRequest, TERMINAL_STATUSES } from "../../src/schemas/run.js";
import { createChance } from "./harness/chance.js";
import { checkHistory, wholeLog } from "./harness/history.js";
import { FULL, hold, patience, promise, twin } from "./harness/passes.js";
import { type Twin, until } from "./harness/process.js";
import { callOf, FaultyLink } from "./harness/proxy.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";

const REFUSED: RunRequest = { steps: 1, name: "while away" };

/** Every kind of call must be refused, soon; the longest that one took, in ms. */
async function checkRefused(api: Api, id: string): Promise<number> {
  const calls: [string, () => Promise<Response>][] = [
    ["create", () => api.post("/v1/runs", REFUSED)],
    ["cancel", () => api.act(id, "cancel")],
    ["get", () => fetch(`${api.url}/v1/runs/${id}`)],
    ["metrics", () => fetch(`${api.url}/v1/runs/${id}/metrics?to=10`)],
  ];
  const times = calls.map(async ([name, call]) => {
    const startedAt = performance.now();
    const response = await Promise.race([call().catch(() => null), delay(patience(2000), null, { ref: false })]);
    const took = performance.now() - startedAt;
    hold(name, took, 1500);
    assert.equal(response?.status, 503, name);
    return took;
  });
  return Math.max(...(await Promise.all(times)));
}

/**
 * Takes Redis away as a cut network does (nothing answers, the sockets stay open) while one worker trains, one has just
 * finished and waits for the answer, one is idle, and a create has been executed whose answer never comes.
 */
async function takeAway(seconds: number, twin?: Twin): Promise<void> {
  createChance(`promise 4, ${seconds} s`);
  const scene = await Scene.open();
  const link = await FaultyLink.to(scene.redis.url);
  try {
    const api = await scene.api({}, link.url, twin);
    const workers = [1, 2, 3].map(() => scene.spawn("worker", {}, twin, link.url));
    await scene.asking(9);
    // Of the default model: a small one's ten million steps are over in seven seconds.
    const training = await api.create({ seed: SMALL.seed, steps: 10_000_000 });
    await until("it trains", async () => (await scene.committed(training.id)) > 0);
    const finishes = link.trapCommit("after", callOf("annealFinish"));
    const finishing = await api.create({ ...SMALL, steps: 100 });
    await finishes;
    const finished = await scene.record(finishing.id);
    assert.equal(finished.status, "succeeded");
    const created = link.trapCommit("after", callOf("annealCreate"));
    const ghost = api.post("/v1/runs", REFUSED).catch(() => null);
    await created;

    link.hold(true);
    const awayAt = performance.now();
    const red = until("readiness is red", async () => (await fetch(`${api.url}/readyz`)).status === 503).then(
      () => performance.now() - awayAt,
      () => Number.NaN,
    );
    let slowest = 0;
    do {
      slowest = Math.max(slowest, await checkRefused(api, training.id));
      await delay(500);
    } while (performance.now() - awayAt < seconds * 1000);
    assert.equal((await ghost)?.status, 503);
    const redAfter = await red;
    assert.ok(!Number.isNaN(redAfter), "readiness stayed green");
    hold("readiness to turn red", redAfter, 5000);
    const { committed, status } = await scene.record(training.id);
    assert.equal(status, "running", "it was to train on when Redis is back");
    link.hold(false);
    const backAt = performance.now();
    await scene.until(training.id, "trains on", ({ committed: now }) => now > committed, patience(25_000));
    const resumedAfter = performance.now() - backAt;

    await until("the API is ready", async () => (await fetch(`${api.url}/readyz`)).status === 200, patience(25_000));
    // Both workers that do not train take work again.
    const more = await Promise.all([1, 2].map(() => api.create({ ...SMALL, steps: 100_000 })));
    for (const { id } of more) assert.equal((await scene.over(id, patience(25_000))).status, "succeeded");
    const allAfter = performance.now() - backAt;
    assert.equal(await scene.status(training.id), "running", "a cancel that was refused was done");
    const told = async () =>
      (await scene.runs.list({ limit: 1000 })).records.filter(({ spec }) => spec.name === REFUSED.name);
    await until("no ghost waits", async () => (await told()).every(({ status }) => TERMINAL_STATUSES.includes(status)));
    for (const { attempts } of await told())
      assert.equal(attempts, 0, "a run runs whose client was told that it had failed");
    await api.act(training.id, "cancel");
    checkHistory(await wholeLog(scene.direct, (await scene.over(training.id)).id));
    assert.deepEqual(await scene.record(finishing.id), finished, "a finished run was touched");
    assert.ok(!api.process.over && workers.every(({ over }) => !over), "a process has died");
    console.log(
      `# away ${seconds} s: slowest refusal ${slowest.toFixed(0)} ms, readiness red after ${redAfter.toFixed(0)} ms; after its return training on after ${resumedAfter.toFixed(0)} ms, all workers at work by ${allAfter.toFixed(0)} ms; ${(await told()).length} create taken back`,
    );
  } finally {
    await scene.close();
    await link.close();
  }
}

for (const seconds of FULL ? [3, 12, 30, 90] : [3]) {
  promise(`promise 4: Redis away for ${seconds} s: 503 at once, no ghost, all goes on by itself`, () =>
    takeAway(seconds),
  );
}

twin("promise 4, twin: with an API that waits for Redis as a worker does, the same check fails", async () => {
  await assert.rejects(takeAway(1, "patient-api"), /took \d+|503/);
});

twin(
  "promise 4, twin: where a create that could not be confirmed is not taken back, the same check fails",
  async () => {
    await assert.rejects(takeAway(1, "ghosts"), /told that it had failed/);
  },
);
