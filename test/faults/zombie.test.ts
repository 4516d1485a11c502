import assert from "node:assert/strict";
import { after, before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { RunRequest } from "../../src/schemas/run.js";
import { type Chance, createChance, keepHistory, summary } from "./harness/chance.js";
import { checkHistory, type Fingerprint, fingerprint, outline, wholeLog } from "./harness/history.js";
import { count, patience, promise, twin } from "./harness/passes.js";
import { type Twin, until } from "./harness/process.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";

const REQUEST: RunRequest = { ...SMALL, steps: count(700_000, 3_000_000), schedule: "cyclic", seed: 11 };
const STOPS = count(2, 10);

let scene: Scene;
let api: Api;
let oracle: Fingerprint;
before(async () => {
  scene = await Scene.open();
  api = await scene.api();
  oracle = await scene.undisturbed(api, REQUEST);
});
after(() => scene.close());

/** An attempt of a worker that has come to its end. */
const ENDED = /"msg":"attempt (ended|failed)"/g;
const STOPS_WITHIN_MS = patience(1000);

/**
 * Stops whoever holds the run past its lock, lets the other take it over, and wakes the first one. Returns how many
 * milliseconds each zombie went on after waking. Throws when one writes to the log, or goes on for too long.
 */
async function freezeHolders(chance: Chance, id: string, stops: number, twin?: Twin): Promise<number[]> {
  const workers = [scene.spawn("worker", {}, twin), scene.spawn("worker", {}, twin)];
  const wentOn: number[] = [];
  try {
    for (let stop = 0; stop < stops; stop++) {
      const goal = ((stop + chance.next()) / stops) * REQUEST.steps * 0.6;
      await until(`step ${goal}`, async () => (await scene.committed(id)) >= goal, patience(60_000));
      const zombie = await scene.holder(id, workers);
      await delay(chance.between(0, 40));
      zombie.signal("SIGSTOP");
      const ended = () => zombie.output.match(ENDED)?.length ?? 0;
      const endedBefore = ended();
      await until("the other has taken over", async () => (await scene.holder(id, workers)) !== zombie);
      const taken = await scene.committed(id);
      // Before the other's first commit, when the zombie's next one would still fit, and after it.
      if (stop % 2 === 1) await until("the other commits", async () => (await scene.committed(id)) > taken);
      const wokenAt = performance.now();
      zombie.signal("SIGCONT");
      await until("the zombie has stopped", () => ended() > endedBefore, STOPS_WITHIN_MS);
      wentOn.push(performance.now() - wokenAt);
      checkHistory(await wholeLog(scene.direct, id));
    }
    await scene.over(id, 300_000);
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
  return wentOn;
}

promise(`promise 2: ${STOPS} zombies write nothing, are counted, and stop within 1 s of waking`, async () => {
  const chance = createChance("promise 2");
  const { id } = await api.create(REQUEST);
  try {
    const wentOn = await freezeHolders(chance, id, STOPS);
    assert.equal(wentOn.length, STOPS);
    assert.deepEqual(await fingerprint(scene.direct, id), oracle);
    const metrics = await (await fetch(`${api.url}/metrics/shared`)).text();
    const refused = Number(metrics.match(/^anneal_refused_writes_total (\d+)$/m)![1]);
    console.log(`# promise 2: ${refused} stale commits refused; ms a zombie went on: ${summary(wentOn)}`);
    assert.ok(refused >= 1, "no stale commit was refused");
  } catch (error) {
    keepHistory("promise 2", chance.seed, outline(await wholeLog(scene.direct, id)));
    throw error;
  }
});

twin("promise 2, twin: without the fence, the same check fails", async () => {
  const chance = createChance("promise 2 twin");
  const { id } = await api.create(REQUEST);
  await assert.rejects(freezeHolders(chance, id, 3, "no-fence"));
});
