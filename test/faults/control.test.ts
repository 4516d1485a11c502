import assert from "node:assert/strict";
import { after } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { RunRequest } from "../../src/schemas/run.js";
import { TERMINAL_STATUSES } from "../../src/schemas/run.js";
import { type Chance, createChance, keepHistory, quantile, summary } from "./harness/chance.js";
import { checkHistory, fingerprint, outline, wholeLog } from "./harness/history.js";
import { count, hold, patience, promise, twin } from "./harness/passes.js";
import { type ServiceProcess, type Twin, until } from "./harness/process.js";
import { FaultyLink } from "./harness/proxy.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";

/** What a run is doing when it is told to stop. */
const MOMENTS = ["queued", "starting", "training", "committing", "finishing", "handed-over", "dead worker"] as const;
type Moment = (typeof MOMENTS)[number];
type Verb = "cancel" | "pause";
const STOPS_WITHIN_MS = 250;

/** Two APIs, and a worker behind a link that can hold back what it says. */
class Stage {
  readonly scene: Scene;
  readonly apis: readonly Api[];
  readonly link: FaultyLink;
  readonly twin: Twin | undefined;
  worker: ServiceProcess;

  private constructor(scene: Scene, apis: readonly Api[], link: FaultyLink, twin?: Twin) {
    this.scene = scene;
    this.apis = apis;
    this.link = link;
    this.twin = twin;
    this.worker = this.#spawn();
  }

  static async open(twin?: Twin): Promise<Stage> {
    const scene = await Scene.open();
    const apis = await Promise.all([scene.api({}, undefined, twin), scene.api({}, undefined, twin)]);
    return new Stage(scene, apis, await FaultyLink.to(scene.redis.url), twin);
  }

  #spawn(): ServiceProcess {
    return this.scene.spawn("worker", { WORKER_CONCURRENCY: 2 }, this.twin, this.link.url);
  }

  async restart(signal: NodeJS.Signals): Promise<void> {
    await this.worker.end(signal);
    this.worker = this.#spawn();
  }

  async close(): Promise<void> {
    await this.scene.close();
    await this.link.close();
  }
}

const opened: Stage[] = [];
after(() => Promise.all(opened.map((stage) => stage.close())));
async function open(twin?: Twin): Promise<Stage> {
  const stage = await Stage.open(twin);
  opened.push(stage);
  return stage;
}
let sound: Promise<Stage> | undefined;
/** The stage of all promises; a twin has one of its own. */
const openSound = () => {
  sound ??= open();
  return sound;
};

/** Brings a new run to a moment; `goOn`: what must happen once it was told to stop. */
async function bringTo(
  stage: Stage,
  moment: Moment,
  chance: Chance,
): Promise<{ id: string; goOn: () => Promise<void> }> {
  const { scene, link } = stage;
  if (moment === "queued") await stage.worker.end("SIGTERM");
  const finishing = moment === "finishing" ? link.holdNext("annealFinish") : null;
  const { id } = await stage.apis[0]!.create({ ...SMALL, steps: finishing === null ? 10_000_000 : 3000 });
  let goOn = async () => {};
  if (moment === "queued") goOn = () => stage.restart("SIGKILL");
  else if (moment === "starting") await until("it starts", async () => (await scene.status(id)) !== "queued");
  else if (finishing !== null) {
    const release = await finishing;
    goOn = async () => release();
  } else {
    await until("it trains", async () => (await scene.committed(id)) > 0);
    await delay(chance.between(0, 60));
  }
  if (moment === "committing") {
    const release = await link.holdNext("annealCommit");
    goOn = async () => release();
  }
  if (moment === "handed-over") {
    const ended = stage.worker.end("SIGTERM");
    await delay(chance.between(0, 30));
    goOn = async () => {
      await ended;
      await stage.restart("SIGKILL");
    };
  }
  if (moment === "dead worker") {
    await stage.worker.end("SIGKILL");
    goOn = () => stage.restart("SIGKILL");
  }
  return { id, goOn };
}

/** Stops a run at a moment from two other processes at once, and checks all that must hold then. Returns how long it took. */
async function stopAt(stage: Stage, moment: Moment, verb: Verb, chance: Chance): Promise<number> {
  const { scene, apis } = stage;
  const { id, goOn } = await bringTo(stage, moment, chance);
  const tell = (what: Verb) => Promise.all(apis.map((api) => api.act(id, what)));
  const isOver = async () => TERMINAL_STATUSES.includes(await scene.status(id));
  try {
    // A pause that has not been applied yet must not hide a cancel.
    if (verb === "cancel" && chance.next() < 0.3) await apis[1]!.act(id, "pause");
    const toldAt = performance.now();
    for (const { status } of await tell(verb))
      assert.ok(status === 202 || status === 409, `${verb} answered ${status}`);
    await goOn();
    if (verb === "pause") await until("it is paused", async () => (await scene.status(id)) === "paused" || isOver());
    else await until("it is over", isOver, patience(5000));
    const took = performance.now() - toldAt;
    const stopped = await scene.record(id);
    await delay(60);
    assert.deepEqual(await scene.record(id), stopped, `it has changed after it was ${stopped.status}`);
    if (stopped.status === "paused") {
      for (const { status } of await tell("pause")) assert.equal(status, 202);
      assert.equal((await apis[1]!.act(id, "resume")).status, 202);
      assert.equal((await apis[0]!.act(id, "resume")).status, 202);
      await until("it goes on", async () => (await scene.committed(id)) > stopped.committed || isOver());
      await apis[0]!.act(id, "cancel");
      await scene.over(id);
    }
    const end = await scene.record(id);
    assert.ok(end.status === "canceled" || (end.status === "succeeded" && moment === "finishing"), end.status);
    for (const { status } of await tell("cancel")) assert.equal(status, end.status === "canceled" ? 202 : 409);
    assert.equal((await apis[1]!.act(id, "resume")).status, 409);
    assert.deepEqual(await scene.record(id), end, "a terminal record has changed");
    assert.equal(checkHistory(await wholeLog(scene.direct, id)), end.committed);
    return took;
  } catch (error) {
    if (stage.twin === undefined)
      keepHistory(`promise 11 ${moment} ${verb}`, chance.seed, outline(await wholeLog(scene.direct, id)));
    throw error;
  }
}

const CASES = count(MOMENTS.length, 500);

promise(
  `promise 11: ${CASES} cancels and pauses at every moment: one terminal status, nothing committed after it`,
  async () => {
    const stage = await openSound();
    const chance = createChance("promise 11");
    const took: number[] = [];
    for (let i = 0; i < CASES; i++) {
      const moment = MOMENTS[i % MOMENTS.length]!;
      const ms = await stopAt(stage, moment, chance.pick(["cancel", "pause"]), chance);
      if (moment === "training" || moment === "committing") took.push(ms);
    }
    console.log(`# promise 11: ${CASES} cases; ms from the request until training had stopped: ${summary(took)}`);
    hold("to stop training (p99)", quantile(took, 0.99), STOPS_WITHIN_MS);
  },
);

twin("promise 11, twin: where a commit does not look for a cancel, the same check fails", async () => {
  const stage = await open("deaf");
  await assert.rejects(stopAt(stage, "training", "cancel", createChance("promise 11 deaf")), /it is over/);
});

twin("promise 11, twin: where a cancel is final before the worker knows, the same check fails", async () => {
  const stage = await open("canceled-at-once");
  const chance = createChance("promise 11 canceled at once");
  // Now and then the worker's last commit comes too late to be seen.
  await assert.rejects(async () => {
    for (let i = 0; i < 10; i++) await stopAt(stage, "training", "cancel", chance);
  }, /changed after it was canceled|comes after the terminal status|a terminal record has changed/);
});

promise(
  "promise 11: a run paused and resumed at random, from two processes, has the bytes of one never paused",
  async () => {
    const { scene, apis } = await openSound();
    const chance = createChance("promise 11 pause");
    const request: RunRequest = { ...SMALL, steps: count(200_000, 2_000_000), schedule: "cyclic" };
    const undisturbed = await apis[0]!.create(request);
    await scene.over(undisturbed.id);
    const { id } = await apis[0]!.create(request);
    const pauses = count(3, 40);
    for (let i = 0; i < pauses; i++) {
      const goal = ((i + chance.next()) / pauses) * request.steps * 0.8;
      await until(`step ${goal}`, async () => (await scene.committed(id)) >= goal);
      await chance.pick(apis).act(id, "pause");
      // Sometimes taken back before it has been noticed.
      if (chance.next() < 0.7) await until("it is paused", async () => (await scene.status(id)) !== "running");
      assert.equal((await chance.pick(apis).act(id, "resume")).status, 202);
      assert.equal((await chance.pick(apis).act(id, "resume")).status, 202);
    }
    await scene.over(id);
    assert.deepEqual(await fingerprint(scene.direct, id), await fingerprint(scene.direct, undisturbed.id));
  },
);
