import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { RunRequest } from "../../src/spec/run.js";
import { type Chance, count, createChance, keepHistory } from "./harness/chance.js";
import { type Fingerprint, fingerprint, outline, wholeLog } from "./harness/history.js";
import { type ServiceProcess, type Twin, until } from "./harness/process.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";

const REQUEST: RunRequest = { ...SMALL, steps: count(400_000, 2_000_000), schedule: "cyclic", seed: 11 };
const STOPS = count(3, 10);

let scene: Scene;
let api: Api;
let oracle: Fingerprint;
before(async () => {
  scene = await Scene.open();
  api = await scene.api();
  oracle = await scene.undisturbed(api, REQUEST);
});
after(() => scene.close());

/** Stops whoever holds the run past its lock, lets the other take it over, and wakes the first one. */
async function freezeHolders(chance: Chance, id: string, stops: number, twin?: Twin): Promise<void> {
  const workers = [scene.spawn("worker", {}, twin), scene.spawn("worker", {}, twin)];
  const starts = (worker: ServiceProcess) => worker.output.split('"msg":"training"').length;
  try {
    for (let stop = 0; stop < stops; stop++) {
      const goal = ((stop + chance.next()) / stops) * REQUEST.steps * 0.8;
      await until(`step ${goal}`, async () => (await scene.committed(id)) >= goal, 60_000);
      // The fence of an attempt is in its log line: the holder is whoever named the newest.
      const fence = await scene.direct.hget(`anneal:run:${id}`, "fence");
      await until("a holder is known", () => workers.some(({ output }) => output.includes(`"fence":"${fence}"`)));
      const holder = workers.find(({ output }) => output.includes(`"fence":"${fence}"`))!;
      const other = workers.find((worker) => worker !== holder)!;
      const before = starts(other);
      await delay(chance.between(0, 40));
      holder.signal("SIGSTOP");
      await until("the other has taken over", () => starts(other) > before);
      const taken = await scene.committed(id);
      await until(
        "the other commits",
        async () => (await scene.committed(id)) > taken || (await scene.status(id)) === "failed",
      );
      holder.signal("SIGCONT");
      const ended = () =>
        holder.output.split('"msg":"attempt ended"').length + holder.output.split('"msg":"attempt failed"').length;
      const endedBefore = ended();
      await until("the zombie has stopped", () => ended() > endedBefore, twin === undefined ? 1000 : 3000).catch(
        (error) => {
          if (twin === undefined) throw error;
        },
      );
      if ((await scene.status(id)) !== "running") return;
    }
    await scene.over(id, 300_000);
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

test(`promise 2: ${STOPS} zombies write nothing, are counted, and stop within 1 s of waking`, async () => {
  const chance = createChance("promise 2");
  const { id } = await api.create(REQUEST);
  try {
    await freezeHolders(chance, id, STOPS);
    assert.deepEqual(await fingerprint(scene.direct, id), oracle);
    const refused = await scene.refused();
    console.log(`# ${refused} stale commits refused`);
    assert.ok(refused >= 1, "no stale commit was refused");
  } catch (error) {
    keepHistory("promise 2", chance.seed, outline(await wholeLog(scene.direct, id)));
    throw error;
  }
});

test("promise 2, twin: without the fence, the same check fails", async () => {
  const chance = createChance("promise 2 twin");
  const { id } = await api.create(REQUEST);
  await assert.rejects(async () => {
    await freezeHolders(chance, id, 3, "no-fence");
    assert.deepEqual(await fingerprint(scene.direct, id), oracle);
  });
});
