import assert from "node:assert/strict";
import { after, before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Chance, createChance } from "./harness/chance.js";
import { count, patience, promise, twin } from "./harness/passes.js";
import { until } from "./harness/process.js";
import { type Api, Scene } from "./harness/scene.js";
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
const LONG = { batchSize: 64, steps: count(20_000, 100_000), schedule: "cyclic" } as const;

/** Follows a new run with many subscribers, each cut at random steps, and compares what each has seen with the export. */
async function followCut(url: string, chance: Chance, subscribers: number, cuts: number): Promise<void> {
  const { id } = await api.create({ ...LONG, seed: chance.between(0, 1e6) });
  const follow = async (wire: Wire, stops: readonly number[]) => {
    const seen = new Seen();
    for (const stop of stops) {
      await listen(url, id, wire, seen, stop);
      assert.equal(seen.next, stop, "cut where it was to be");
    }
    await listen(url, id, wire, seen, Number.POSITIVE_INFINITY);
    assert.equal(seen.ends, 1);
    return seen.digest();
  };
  const digests = await Promise.all(
    Array.from({ length: subscribers }, (_, i) => {
      const stops = Array.from({ length: cuts }, () => chance.between(1, LONG.steps - 1));
      return follow(
        WIRES[i % 2]!,
        stops.sort((a, b) => a - b),
      );
    }),
  );
  const wanted = await exported(api.url, id);
  for (const digest of digests) assert.equal(digest, wanted);
}

const SUBSCRIBERS = count(12, 200);
const CUTS = count(4, 20);

promise(`promise 8: ${SUBSCRIBERS} subscribers, each cut ${CUTS} times, see every step exactly once`, async () => {
  const chance = createChance("promise 8");
  await followCut(api.url, chance, SUBSCRIBERS, CUTS);
  console.log(
    `# promise 8: ${SUBSCRIBERS} subscribers, ${SUBSCRIBERS * CUTS} cuts, ${LONG.steps} steps each, hashes equal`,
  );
});

twin("promise 8, twin: where a resume within a chunk gives the whole of it, the same check fails", async () => {
  const broken = await scene.api({}, undefined, "uncut-resume");
  const chance = createChance("promise 8 twin");
  await assert.rejects(followCut(broken.url, chance, 4, 3), /the next step/);
});

/** When a subscriber comes. */
const MOMENTS = ["before the first commit", "mid-chunk", "last chunk", "status change", "after the end"] as const;
type Moment = (typeof MOMENTS)[number];
const PER_RUN = 20;
const FAILS_AFTER_MS = patience(60_000);

/** Brings subscribers to one run at every moment of its life; each must see all of it, and one end, which is last. */
async function race(url: string, chance: Chance, moments: readonly Moment[], withinMs = FAILS_AFTER_MS): Promise<void> {
  const steps = chance.pick([1, 500, 20_000, 40_000]);
  const shake = chance.pick(["none", "pause", "cancel"] as const);
  const shakeAt = chance.between(0, 400);
  const { id } = await api.create({ batchSize: 32, steps, seed: chance.between(0, 1e6) });
  let announce!: () => void;
  const shaken = new Promise<void>((resolve) => {
    announce = resolve;
  });
  const come = async (moment: Moment, lateMs: number) => {
    const stage = async () => {
      const { committed, finishedAt } = await scene.record(id);
      return finishedAt !== null ? 1 : committed / steps;
    };
    if (moment === "mid-chunk") await until("it trains", async () => (await stage()) > 0);
    if (moment === "mid-chunk") await delay(lateMs);
    if (moment === "last chunk") await until("its last chunk", async () => (await stage()) > 0.9);
    if (moment === "status change") await shaken;
    if (moment === "after the end") await scene.over(id);
  };
  const subscribe = async (wire: Wire, moment: Moment, lateMs: number) => {
    await come(moment, lateMs);
    const seen = new Seen();
    const ended = listen(url, id, wire, seen, Number.POSITIVE_INFINITY);
    await Promise.race([ended, delay(withinMs, null, { ref: false })]);
    assert.deepEqual([seen.ends, seen.lastType], [1, "end"], `one who came ${moment}`);
    return seen.digest();
  };
  const act = async () => {
    await delay(shakeAt);
    announce();
    if (shake === "cancel") await api.act(id, "cancel");
    if (shake !== "pause") return;
    await api.act(id, "pause");
    await delay(shakeAt % 50);
    await api.act(id, "resume");
  };
  const digests = await Promise.all([
    ...moments.map((moment, i) => subscribe(WIRES[i % 2]!, moment, chance.between(0, 300))),
    act(),
  ]);
  const wanted = await exported(api.url, id);
  for (const digest of digests) if (typeof digest === "string") assert.equal(digest, wanted);
}

const RACES = count(60, 1000);

promise(
  `promise 9: ${RACES} subscriptions at every moment of a run's life give the same bytes and one end`,
  async () => {
    const chance = createChance("promise 9");
    for (let done = 0; done < RACES; done += PER_RUN) {
      await race(
        api.url,
        chance,
        Array.from({ length: PER_RUN }, (_, i) => MOMENTS[i % MOMENTS.length]!),
      );
    }
    console.log(`# promise 9: ${RACES} subscriptions, ${RACES / MOMENTS.length} at each of: ${MOMENTS.join(", ")}`);
  },
);

twin(
  "promise 9, twin: where history and live are read without a look at the position, the same check fails",
  async () => {
    const broken = await scene.api({}, undefined, "blind-tail");
    const chance = createChance("promise 9 twin");
    await assert.rejects(async () => {
      for (let i = 0; i < 10; i++) await race(broken.url, chance, Array(PER_RUN).fill("mid-chunk"), 3000);
    }, /the next step|one who came/);
  },
);
