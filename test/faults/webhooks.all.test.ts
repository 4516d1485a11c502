import assert from "node:assert/strict";
import { after, before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Queue } from "bullmq";
import type { RunRequest } from "../../src/schemas/run.js";
import { OUTBOX_KEY, QUEUE_PREFIX } from "../../src/store/keys.js";
import { RedisWebhookStore } from "../../src/store/webhooks.js";
import { Receiver, SECRET } from "../receiver.js";
import { createChance, keepHistory } from "./harness/chance.js";
import { wholeLog } from "./harness/history.js";
import { count, patience, promise, twin } from "./harness/passes.js";
import { type Twin, until } from "./harness/process.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";

const SETTINGS = { WEBHOOK_PRIVATE: "allowed", WEBHOOK_RETRY_MS: 40 };
/** Each is told three times: queued, running, succeeded. */
const RUNS = count(24, 334);
const DELETED = count(4, 30);
const WAIT_MS = patience(600_000);

let scene: Scene;
let api: Api;
let webhooks: RedisWebhookStore;
let queue: Queue;
before(async () => {
  scene = await Scene.open();
  api = await scene.api(SETTINGS);
  webhooks = new RedisWebhookStore(scene.direct);
  queue = new Queue("webhooks", { connection: scene.direct, prefix: QUEUE_PREFIX, skipVersionCheck: true });
});
after(async () => {
  await queue?.close();
  await scene?.close();
});

const requestTo = (receiver: Receiver): RunRequest => ({
  ...SMALL,
  steps: 40,
  webhook: { url: receiver.url, secret: SECRET },
});

/** No event waits for anything. */
async function nothingWaits(): Promise<boolean> {
  const { completed: _, failed: __, ...left } = await queue.getJobCounts();
  return Object.values(left).every((jobs) => jobs === 0) && (await scene.direct.xlen(OUTBOX_KEY)) === 0;
}

promise(
  `promise 9: ${3 * RUNS} webhooks to a receiver that fails, is slow, dies and comes back, with kill -9`,
  async () => {
    const chance = createChance("promise 9");
    const elsewhere = await Receiver.start();
    const receiver = await Receiver.start(async () => {
      if (chance.next() < 0.2) await delay(chance.between(1, 100));
      if (chance.next() >= 0.3) return { status: 204 };
      return chance.pick([{ status: 500 }, { status: 429 }, { status: 307, location: elsewhere.url }]);
    });
    const workers = [scene.spawn("worker", SETTINGS), scene.spawn("worker", SETTINGS)];
    const killOne = async () => {
      await workers.shift()!.end("SIGKILL");
      workers.push(scene.spawn("worker", SETTINGS));
    };
    const heard = (share: number) =>
      until(`${share} of all were heard`, async () => receiver.accepted.length >= share * 3 * RUNS, WAIT_MS);
    try {
      const ids: string[] = [];
      const create = async (runs: number) => {
        for (let i = 0; i < runs; i++) ids.push((await api.create(requestTo(receiver))).id);
      };
      await create(RUNS / 2);
      await heard(0.1);
      await killOne();
      await create(RUNS / 2);
      await heard(0.4);
      await receiver.die();
      const doomed: string[] = [];
      for (let i = 0; i < DELETED; i++) doomed.push((await api.create(requestTo(receiver))).id);
      await killOne();
      for (const id of doomed) {
        await scene.over(id);
        const response = await fetch(`${api.url}/v1/runs/${id}`, { method: "DELETE" });
        assert.equal(response.status, 204);
      }
      await receiver.comeBack();
      await heard(0.7);
      await killOne();
      for (const id of ids) await scene.over(id);
      await until("all is told", nothingWaits, WAIT_MS);

      for (const id of ids) {
        const life = (await wholeLog(scene.direct, id)).flatMap((entry) =>
          entry.kind === "status" ? entry.change.status : [],
        );
        assert.deepEqual(receiver.statusesOf(id), life, id);
        const { delivered, pending, failed } = (await webhooks.get(id))!;
        assert.deepEqual({ delivered, pending, failed }, { delivered: life.length, pending: 0, failed: 0 });
      }
      const ofDeleted = receiver.told.filter(({ event }) => doomed.includes(event.data.id));
      assert.deepEqual(ofDeleted, [], "told after deletion");
      assert.deepEqual([receiver.wrong, elsewhere.told, elsewhere.wrong], [[], [], []]);
      console.log(`# promise 9: ${receiver.told.length} attempts, ${receiver.accepted.length} accepted`);
    } catch (error) {
      keepHistory("promise 9", chance.seed, { told: receiver.told, wrong: receiver.wrong });
      throw error;
    } finally {
      await Promise.all(workers.map((worker) => worker.end()));
      for (const each of [receiver, elsewhere]) await each.die();
    }
  },
);

/** A run whose receiver is dead, and back once the run is deleted; what the receiver then hears of it. */
async function deletedWhileDead(broken?: Twin): Promise<number> {
  const receiver = await Receiver.start();
  await receiver.die();
  const worker = scene.spawn("worker", SETTINGS, broken);
  try {
    const { id } = await api.create(requestTo(receiver));
    await scene.over(id);
    await until("it was tried", async () => (await webhooks.get(id))!.lastError !== null, WAIT_MS);
    assert.equal((await fetch(`${api.url}/v1/runs/${id}`, { method: "DELETE" })).status, 204);
    await receiver.comeBack();
    await until("nothing waits", nothingWaits, WAIT_MS);
    return receiver.told.length;
  } finally {
    await worker.end();
    await receiver.die().catch(() => {});
  }
}

promise("promise 9: nothing is told of a run that was deleted while its receiver was dead", async () => {
  assert.equal(await deletedWhileDead(), 0);
});

twin("promise 9, twin: where what was due once stays due, a deleted run is told of", async () => {
  assert.ok((await deletedWhileDead("due-for-ever")) > 0);
});
