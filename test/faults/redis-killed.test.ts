import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { RunRequest } from "../../src/schemas/run.js";
import { connect } from "../../src/store/connect.js";
import { type Chance, createChance, keepHistory } from "./harness/chance.js";
import { fingerprint, outline, wholeLog } from "./harness/history.js";
import { count, FULL, patience, promise, twin } from "./harness/passes.js";
import { until } from "./harness/process.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";
import { exported, listen, Seen } from "./harness/subscriber.js";

const REQUEST: RunRequest = { ...SMALL, steps: count(200_000, 2_000_000), schedule: "cyclic" };
const KILLS = count(2, 15);

/** What clients have been told: the ids that were answered 202, and the steps that were sent, by run. */
interface Told {
  readonly accepted: string[];
  readonly seen: ReadonlyMap<string, Seen>;
}

async function checkKept(scene: Scene, { accepted, seen }: Told): Promise<void> {
  for (const id of accepted) assert.notEqual(await scene.runs.get(id), null, `${id} was answered 202 and is gone`);
  for (const [id, { next }] of seen) {
    const stored = (await scene.runs.get(id))?.committed ?? 0;
    assert.ok(next <= stored, `step ${next - 1} of ${id} was sent; ${stored} are stored`);
  }
}

/** Kills Redis while clients create runs. */
async function killAmidRequests(scene: Scene, api: Api, chance: Chance, told: Told): Promise<void> {
  let over = false;
  const client = async () => {
    while (!over) told.accepted.push((await api.create({ steps: 1 }, 0)).id);
  };
  const clients = [1, 2, 3].map(() => client().catch(() => {}));
  await delay(chance.between(0, 40));
  await scene.redis.kill();
  over = true;
  await Promise.all(clients);
}

/**
 * Kills Redis right after it has acknowledged a run; with `slowDisk` while its disk is kept busy, and in a moment in which it
 * answers before it writes, if it comes to that. Resolves to whether it did.
 */
async function killOnceAcknowledged(scene: Scene, api: Api, told: Told, slowDisk: boolean): Promise<boolean> {
  const other = connect(scene.redis.url, "prompt");
  other.on("error", () => {});
  const ballast = Buffer.alloc(8 << 20, "x");
  let busy = slowDisk;
  const writing = (async () => {
    while (busy) await other.set("ballast", ballast).catch(() => delay(1));
  })();
  const create = async () => told.accepted.push((await api.create({ steps: 1 })).id);
  // Until such an fsync is done, Redis keeps in its own memory what it answers.
  const syncing = async () => /aof_pending_bio_fsync:[1-9]/.test(await scene.direct.info("persistence"));
  let ahead = false;
  for (const end = Date.now() + (slowDisk ? 1500 : 0); !ahead && Date.now() < end; await delay(1)) {
    if (!(await syncing())) continue;
    await create();
    ahead = await syncing();
  }
  // Its connection may still be on its way back.
  if (!ahead) await until("a run is acknowledged", () => create().then(Boolean, () => false));
  await scene.redis.kill();
  busy = false;
  await writing;
  other.disconnect();
  return ahead;
}

promise(
  `promise 3: ${KILLS} kill -9 of Redis during 4 runs lose no run, no step that was sent, and no process`,
  async () => {
    const chance = createChance("promise 3");
    const scene = await Scene.open();
    let ids: string[] = [];
    try {
      const api = await scene.api();
      const oracle = await scene.undisturbed(api, REQUEST);
      const worker = scene.spawn("worker", { WORKER_CONCURRENCY: 2 });
      ids = (await Promise.all([1, 2, 3, 4].map(() => api.create(REQUEST)))).map(({ id }) => id);
      const told: Told = { accepted: [], seen: new Map(ids.map((id) => [id, new Seen()])) };
      const follow = ([id, seen]: [string, Seen]) => listen(api.url, id, "websocket", seen, Number.POSITIVE_INFINITY);
      const followers = [...told.seen].map(follow);
      const progress = async () => (await Promise.all(ids.map((id) => scene.committed(id)))).reduce((a, b) => a + b);
      let slowest = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const goal = ((kill + chance.next()) / KILLS) * ids.length * REQUEST.steps * 0.7;
        await until(`${goal} steps in all`, async () => (await progress()) > goal, 120_000);
        if (kill % 2 === 1) await killOnceAcknowledged(scene, api, told, FULL);
        else await killAmidRequests(scene, api, chance, told);
        await scene.redis.restart();
        const backAt = performance.now();
        await checkKept(scene, told);
        const stored = await progress();
        const all = ids.length * REQUEST.steps;
        await until("training goes on", async () => stored === all || (await progress()) > stored, patience(30_000));
        slowest = Math.max(slowest, performance.now() - backAt);
      }
      for (const id of ids) {
        await scene.over(id, 300_000);
        assert.deepEqual(await fingerprint(scene.direct, id), oracle);
      }
      await Promise.all(followers);
      for (const [id, seen] of told.seen) assert.equal(seen.digest(), await exported(api.url, id));
      for (const id of told.accepted) assert.equal((await scene.over(id)).status, "succeeded");
      assert.ok(!worker.over && !api.process.over, "a process has died");
      console.log(
        `# ${KILLS} kills of Redis: ${told.accepted.length} runs acknowledged amid them, none lost; training on at most ${slowest.toFixed(0)} ms after its return`,
      );
    } catch (error) {
      // While Redis is down nothing answers.
      for (const id of scene.direct.status === "ready" ? ids : [])
        keepHistory(`promise 3 ${id}`, chance.seed, outline(await wholeLog(scene.direct, id)));
      throw error;
    } finally {
      await scene.close();
    }
  },
);

/** Settings that keep less than the shipped ones, and what then is lost. */
async function lose(setting: string, value: string, kills: number): Promise<{ error: Error | null; ahead: boolean }> {
  const scene = await Scene.open();
  const told: Told = { accepted: [], seen: new Map() };
  let ahead = false;
  try {
    const api = await scene.api();
    for (let kill = 0; kill < kills; kill++) {
      // Past the start's own refusal of such a Redis.
      await scene.direct.config("SET", setting, value);
      ahead = (await killOnceAcknowledged(scene, api, told, kills > 1)) || ahead;
      await scene.redis.restart();
      await checkKept(scene, told);
      await until("the API answers", async () => (await fetch(`${api.url}/v1/runs`)).ok);
    }
    return { error: null, ahead };
  } catch (error) {
    return { error: error as Error, ahead };
  } finally {
    await scene.close();
  }
}

twin("promise 3, twin: without the append-only file, the same check fails", async () => {
  const { error } = await lose("appendonly", "no", 1);
  assert.match(String(error), /was answered 202 and is gone/);
});

/**
 * What kill -9 can take of `everysec` is not the second since the last fsync (the kernel has that, and only a power cut takes
 * it) but what waits in Redis's own memory: while an fsync is under way Redis puts off writing, and answers all the same. A
 * kill must hit such a moment, which a fast disk or a loaded machine may not offer.
 */
twin(
  "promise 3, twin: with appendfsync everysec, the same check fails",
  {
    skip: !FULL && "needs many kills: npm run test:faults",
  },
  async (context) => {
    const { error, ahead } = await lose("appendfsync", "everysec", 12);
    if (error === null && !ahead) return context.skip("no moment was found in which Redis answers before it writes");
    assert.match(String(error), /was answered 202 and is gone/);
  },
);
