import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { RunRequest } from "../../src/spec/run.js";
import { TERMINAL_STATUSES } from "../../src/spec/run.js";
import { type Chance, count, createChance, keepHistory } from "./harness/chance.js";
import { checkHistory, fingerprint, outline, wholeLog } from "./harness/history.js";
import { type ServiceProcess, until } from "./harness/process.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";

/** What a run is doing when it is told to stop. */
const MOMENTS = ["queued", "starting", "training", "committing", "finishing", "handed-over", "dead worker"] as const;
type Moment = (typeof MOMENTS)[number];
const CASES = count(14, 500);

let scene: Scene;
let apis: Api[];
let worker: ServiceProcess;
before(async () => {
  scene = await Scene.open();
  apis = await Promise.all([scene.api(), scene.api()]);
  worker = scene.spawn("worker", { WORKER_CONCURRENCY: 2 });
});
after(() => scene.close());

/** Brings a new run to a moment; what must happen afterwards so that the next case finds a worker. */
async function bringTo(moment: Moment, chance: Chance): Promise<{ id: string; tidy: () => Promise<void> }> {
  const restart = async (signal: NodeJS.Signals) => {
    await worker.end(signal);
    worker = scene.spawn("worker", { WORKER_CONCURRENCY: 2 });
  };
  const steps = moment === "finishing" ? 3000 : 10_000_000;
  if (moment === "queued") await worker.end("SIGTERM");
  const { id } = await apis[0]!.create({ ...SMALL, steps });
  const training = () => until("it trains", async () => (await scene.committed(id)) > 0);
  let tidy = async () => {};
  if (moment === "queued") tidy = () => restart("SIGKILL");
  if (moment === "starting") await until("it starts", async () => (await scene.status(id)) !== "queued");
  if (moment === "training" || moment === "committing") await training();
  if (moment === "training") await delay(chance.between(0, 60));
  if (moment === "finishing") await until("it has begun", async () => (await scene.committed(id)) > 0);
  if (moment === "handed-over") {
    await training();
    const ended = worker.end("SIGTERM");
    await delay(chance.between(0, 30));
    tidy = async () => {
      await ended;
      await restart("SIGKILL");
    };
  }
  if (moment === "dead worker") {
    await training();
    await worker.end("SIGKILL");
    tidy = () => restart("SIGKILL");
  }
  return { id, tidy };
}

test(`promise 11: ${CASES} cancels and pauses at every moment: one terminal status, nothing committed after it`, async () => {
  const chance = createChance("promise 11");
  const live: number[] = [];
  for (let i = 0; i < CASES; i++) {
    const moment = MOMENTS[i % MOMENTS.length]!;
    const { id, tidy } = await bringTo(moment, chance);
    try {
      if (chance.next() < 0.3) await apis[1]!.act(id, "pause");
      const toldAt = performance.now();
      const answers = await Promise.all([apis[1]!.act(id, "cancel"), apis[0]!.act(id, "cancel")]);
      for (const { status } of answers) assert.ok(status === 202 || status === 409, `cancel answered ${status}`);
      await tidy();
      await until("it is over", async () => TERMINAL_STATUSES.includes(await scene.status(id)));
      if (moment === "training" || moment === "committing") live.push(performance.now() - toldAt);
      const before = await scene.record(id);
      assert.ok(["canceled", "succeeded"].includes(before.status), before.status);
      assert.equal((await apis[1]!.act(id, "cancel")).status, before.status === "canceled" ? 202 : 409);
      assert.equal((await apis[1]!.act(id, "resume")).status, 409);
      await delay(60);
      assert.deepEqual(await scene.record(id), before, "a terminal record has changed");
      assert.equal(checkHistory(await wholeLog(scene.direct, id)), before.committed);
    } catch (error) {
      keepHistory(`promise 11 ${moment}`, chance.seed, outline(await wholeLog(scene.direct, id)));
      throw error;
    }
  }
  live.sort((a, b) => a - b);
  const p99 = live[Math.ceil(live.length * 0.99) - 1]!;
  console.log(
    `# ${live.length} cancels while training: p99 ${p99.toFixed(0)} ms until the terminal status can be read`,
  );
  assert.ok(p99 <= 250, `p99 ${p99} ms`);
});

test("promise 11: a run paused and resumed at random, from two processes, has the bytes of one never paused", async () => {
  const chance = createChance("promise 11 pause");
  const request: RunRequest = { ...SMALL, steps: count(400_000, 2_000_000), schedule: "cyclic" };
  const undisturbed = await apis[0]!.create(request);
  await scene.over(undisturbed.id);
  const { id } = await apis[0]!.create(request);
  const pauses = count(8, 40);
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
});
