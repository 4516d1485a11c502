import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Estimate } from "../../src/schemas/estimate.js";
import type { Experiment } from "../../src/schemas/experiment-view.js";
import type { RunRequest } from "../../src/schemas/run.js";
import { connect } from "../../src/store/connect.js";
import { RedisFleet } from "../../src/store/fleet.js";
import { runKey } from "../../src/store/keys.js";
import { readStream, startService, type TestService } from "../service.js";

const SMALL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };
const EXPERIMENT = { base: { steps: 300, model: SMALL }, grid: { batchSize: [8, 16] }, seeds: 3 };

let service: TestService;
let redis: ReturnType<typeof connect>;
before(async () => {
  service = await startService();
  redis = connect(service.redis.url, "patient");
});
after(async () => {
  redis.disconnect();
  await service.stop();
});

async function estimate(kind: string, body: object): Promise<Estimate> {
  const response = await service.post(body, `/v1/${kind}/estimate`);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Estimate;
}

/** In Redis, by its own account. */
async function bytesOf(ids: readonly string[]): Promise<number> {
  const keys = (await Promise.all(ids.map((id) => redis.keys(`${runKey(id)}*`)))).flat();
  const sizes = await Promise.all(keys.map((key) => redis.memory("USAGE", key, "SAMPLES", 0)));
  return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
}

function within(factor: number, estimated: number, found: number): void {
  assert.ok(estimated / found < factor && found / estimated < factor, `${estimated} estimated, ${found} found`);
}

test("an estimate creates nothing", async () => {
  const before = (await redis.keys("anneal:run*")).length;
  for (const [kind, body] of [
    ["runs", { steps: 1000 }],
    ["runs", { steps: 1000, schedule: "auto" }],
    ["searches", { steps: 1000 }],
    ["experiments", EXPERIMENT],
  ] as const) {
    const { steps, trainings, seconds, secondsOneCore, bytes, slots, basis } = await estimate(kind, body);
    assert.ok(steps > 0 && trainings > 0 && bytes > 0, kind);
    assert.equal(slots, 2);
    assert.ok(Math.abs(seconds! - secondsOneCore / Math.min(2, trainings)) < 1e-9);
    assert.equal(basis, "assumed");
  }
  assert.equal((await redis.keys("anneal:run*")).length, before);
  for (const kind of ["runs", "searches", "experiments"]) {
    assert.deepEqual(((await (await service.get(`/v1/${kind}`)).json()) as Record<string, unknown[]>)[kind], []);
  }
});

test("bytes in Redis are as estimated, of long runs and short, with replicas and kept checkpoints", async () => {
  const requests: RunRequest[] = [
    { steps: 50, model: SMALL },
    { steps: 30_000, model: SMALL },
    { steps: 5000, model: SMALL, replicas: 4 },
    { steps: 400, checkpointEvery: 100, optimizer: "adam" },
  ];
  for (const request of requests) {
    const { id } = await service.createRun(request);
    const { steps, bytes } = await estimate("runs", request);
    assert.equal((await service.finished(id)).status, "succeeded");
    assert.equal(steps, request.steps);
    within(1.5, bytes, await bytesOf([id]));
  }
});

test("an experiment is estimated as it turns out, a search nearly", async () => {
  const foreseen = await estimate("experiments", EXPERIMENT);
  assert.deepEqual([foreseen.steps, foreseen.trainings], [1800, 6]);
  const { id } = (await (await service.post(EXPERIMENT, "/v1/experiments")).json()) as Experiment;
  await readStream(service.url, id);
  const { report } = (await (await service.get(`/v1/experiments/${id}`)).json()) as Experiment;
  assert.equal(report.stepsUsed, foreseen.steps);
  within(1.5, foreseen.bytes, await bytesOf([id, ...report.arms.flatMap(({ runs }) => runs)]));

  const request = { steps: 240, schedules: ["linear", "constant"], model: SMALL, seed: 1, finders: false };
  const search = await estimate("searches", request);
  const created = (await (await service.post(request, "/v1/searches")).json()) as { id: string };
  await readStream(service.url, created.id);
  const { answer } = (await (await service.get(`/v1/searches/${created.id}`)).json()) as {
    answer: { cost: { steps: number; trainings: number; budget: number } };
  };
  assert.ok(search.steps <= answer.cost.budget);
  within(2, search.steps, answer.cost.steps);
  within(2, search.trainings, answer.cost.trainings);
});

test("errors are those of the creating routes", async () => {
  for (const [kind, body, pointer] of [
    ["runs", { steps: 0 }, "/steps"],
    ["runs", { steps: 10, dataset: "nowhere" }, "/dataset"],
    ["searches", { steps: 100, lrRange: [1, 0.1] }, "/lrRange"],
    ["experiments", { base: { steps: 10 }, grid: { batchSizee: [1, 2] } }, "/grid/batchSizee"],
  ] as const) {
    const response = await service.post(body, `/v1/${kind}/estimate`);
    assert.equal(response.status, 400);
    const { errors } = (await response.json()) as { errors: { pointer: string }[] };
    assert.equal(errors[0]!.pointer, pointer);
  }
});

test("seconds rest on what was measured once a run has trained for long enough; slots on the workers that live", async () => {
  const fleet = new RedisFleet(redis);
  assert.equal(await fleet.speed("kernel-wasm"), null);
  await fleet.noteSpeed("kernel-wasm", 4);
  await fleet.noteSpeed("kernel-wasm", 2);
  assert.ok(Math.abs((await fleet.speed("kernel-wasm"))! - 3.6) < 1e-12);
  const [assumed, measured] = [
    await estimate("runs", { steps: 1000, engine: "reference" }),
    await estimate("runs", { steps: 1000, engine: "kernel-wasm" }),
  ];
  assert.deepEqual([assumed.basis, measured.basis], ["assumed", "measured"]);
  assert.ok(Math.abs(measured.secondsOneCore / assumed.secondsOneCore - 3.6) < 1e-9);

  // The slow engine: evaluations alone take it long enough.
  const { id } = await service.createRun({ steps: 1, engine: "reference", model: SMALL });
  assert.equal((await service.finished(id)).status, "succeeded");
  while ((await fleet.speed("reference")) === null);
  assert.equal((await estimate("runs", { steps: 1000, engine: "reference" })).basis, "measured");

  const facts = { host: "elsewhere", pid: 1, version: "0", engines: [], startedAt: 0, ttl: 100, lagMs: 0 };
  await fleet.heartbeat("elsewhere:1", 7, 100, facts);
  assert.equal((await estimate("runs", { steps: 1000 })).slots, 9);
  await fleet.heartbeat("elsewhere:1", 3, 100, facts);
  assert.equal(await fleet.slots(), 5);
  await redis.hset("anneal:slots", "elsewhere:1", JSON.stringify({ slots: 3, till: 1 }));
  assert.equal(await fleet.slots(), 2);
});

test("without a worker nobody knows when", async () => {
  const idle = await startService({ worker: false });
  try {
    const response = await idle.post({ steps: 1000 }, "/v1/runs/estimate");
    const { seconds, slots } = (await response.json()) as Estimate;
    assert.deepEqual([seconds, slots], [null, 0]);
  } finally {
    await idle.stop();
  }
});
