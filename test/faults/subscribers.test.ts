import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { StreamMessage } from "../../src/spec/stream.js";
import { count, createChance } from "./harness/chance.js";
import { until } from "./harness/process.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";
import { exported, listen, Seen, type Wire } from "./harness/subscriber.js";

let scene: Scene;
let api: Api;
before(async () => {
  scene = await Scene.open();
  api = await scene.api();
  scene.spawn("worker", { WORKER_CONCURRENCY: 2 });
});
after(() => scene.close());

const WIRES: readonly Wire[] = ["websocket", "sse"];
const SUBSCRIBERS = count(30, 200);
const CUTS = count(6, 20);

test(`promise 8: ${SUBSCRIBERS} subscribers, each cut ${CUTS} times, see every step exactly once`, async () => {
  const chance = createChance("promise 8");
  const { id } = await api.create({ ...SMALL, steps: count(120_000, 400_000), schedule: "cyclic" });
  const follow = async (wire: Wire) => {
    const seen = new Seen();
    for (let cut = 0; cut < CUTS && seen.ends === 0; cut++) {
      await listen(api.url, id, wire, seen, chance.between(1, 6));
      await delay(chance.between(0, 50));
    }
    while (seen.ends === 0) await listen(api.url, id, wire, seen, Number.POSITIVE_INFINITY);
    return seen.digest();
  };
  const digests = await Promise.all(Array.from({ length: SUBSCRIBERS }, (_, i) => follow(WIRES[i % 2]!)));
  const wanted = await exported(api.url, id);
  for (const digest of digests) assert.equal(digest, wanted);
});

test("promise 8, twin: a client that resumes one step late, or one early, is found out", () => {
  const message = (from: number): StreamMessage => ({ type: "metrics", from, lr: [0.1, 0.1], loss: [1, 1] });
  for (const resumeAt of [1, 3]) {
    const seen = new Seen();
    seen.take(message(0));
    assert.throws(() => seen.take(message(resumeAt)));
  }
});

const RACES = count(60, 1000);

test(`promise 9: ${RACES} subscriptions at every moment of a run's life give the same bytes and one end`, async () => {
  const chance = createChance("promise 9");
  const perRun = 20;
  for (let race = 0; race < RACES; race += perRun) {
    const { id } = await api.create({ ...SMALL, steps: chance.pick([1, 500, 20_000, 60_000]), seed: race });
    const began = performance.now();
    const subscribe = async (wire: Wire) => {
      // Before the first commit, within chunks, about the last one, and after the end.
      const kind = chance.between(0, 3);
      if (kind === 1) await delay(chance.between(0, 400));
      if (kind === 2) await until("it runs", async () => (await scene.status(id)) !== "queued");
      if (kind === 3) await scene.over(id);
      const seen = new Seen();
      await listen(api.url, id, wire, seen, Number.POSITIVE_INFINITY);
      assert.deepEqual([seen.ends, seen.lastType], [1, "end"], `after ${performance.now() - began} ms`);
      return seen.digest();
    };
    const shaken = chance.next() < 0.5 ? api.act(id, "pause").then(() => api.act(id, "resume")) : null;
    const digests = await Promise.all(Array.from({ length: perRun }, (_, i) => subscribe(WIRES[i % 2]!)));
    await shaken;
    const wanted = await exported(api.url, id);
    for (const digest of digests) assert.equal(digest, wanted, `run ${race / perRun}`);
  }
});
