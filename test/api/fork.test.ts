import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Redis } from "ioredis";
import type { Run, RunRequest } from "../../src/schemas/run.js";
import { QUEUE_PREFIX } from "../../src/store/keys.js";
import { columnsOf, readStream, sharedService, type TestService } from "../service.js";

const PARENT: RunRequest = {
  steps: 3000,
  seed: 11,
  checkpointEvery: 1000,
  schedule: { type: "constant", lr: 0.2 },
  model: { hiddenSizes: [16], embeddingDim: 4 },
  optimizer: { type: "sgd", momentum: 0.9 } as { type: "sgd" },
};
let service: TestService;
let parent: Run;
before(async () => {
  service = await sharedService();
  parent = await train(PARENT);
});
after(() => service.stop());

async function train(request: RunRequest): Promise<Run> {
  return service.finished((await service.createRun(request)).id);
}

interface Exported {
  readonly from: number;
  readonly lr: number[];
  readonly loss: number[];
}

async function exported(id: string, query = ""): Promise<Exported> {
  return (await (await service.get(`/v1/runs/${id}/metrics${query}`)).json()) as Exported;
}

async function refused(request: RunRequest): Promise<[number, string | undefined]> {
  const response = await service.post(request);
  const { errors } = (await response.json()) as { errors?: { pointer: string }[] };
  return [response.status, errors?.[0]?.pointer];
}

test("a fork that changes nothing gives the bytes of the run it goes on from", async () => {
  const whole = await exported(parent.id, "?from=1000");
  const fork = await train({ steps: 3000, from: { run: parent.id, step: 1000 } });
  assert.equal(fork.status, "succeeded");
  assert.deepEqual(fork.spec.from, { run: parent.id, step: 1000, scheduleFrom: 0 });
  const { from, lr, loss } = await exported(fork.id);
  assert.deepEqual([from, lr, loss], [1000, whole.lr, whole.loss]);
  assert.equal(fork.result!.finalValidationLoss, parent.result!.finalValidationLoss);
});

test("a metric-driven schedule goes on in a fork from where it was", async () => {
  const schedule = { type: "reduce-on-plateau", lr: 0.3, every: 300, patience: 0, factor: 0.5 } as const;
  const trunk = await train({ ...PARENT, schedule });
  const fork = await train({ steps: 3000, from: { run: trunk.id, step: 2000 } });
  const whole = await exported(trunk.id, "?from=2000");
  assert.deepEqual((await exported(fork.id)).lr, whole.lr);
  assert.deepEqual((await exported(fork.id)).loss, whole.loss);
});

test("a fork's own schedule begins at the fork; its stream begins there too, each step once", async () => {
  const fork = await train({
    steps: 2500,
    from: { run: parent.id, step: 2000 },
    schedule: "linear",
    lrRange: [0.01, 0.2],
  });
  const { lr } = await exported(fork.id);
  assert.equal(lr.length, 500);
  assert.ok(Math.abs(lr[0]! - 0.2) < 1e-12 && lr.at(-1)! < 0.0105, `${lr[0]} ${lr.at(-1)}`);
  const { messages, code } = await readStream(service.url, fork.id, 0);
  assert.equal(code, 1000);
  assert.deepEqual(columnsOf(messages, 2000).lr, lr);
  const summary = (await (await service.get(`/v1/runs/${fork.id}/metrics?window=100`)).json()) as { step: number[] };
  assert.deepEqual(summary.step, [2000, 2100, 2200, 2300, 2400]);
});

test("a fork of a fork, from the end of it, outlives both", async () => {
  const first = await train({ steps: 3100, from: { run: parent.id } });
  assert.equal(first.spec.from!.step, 3000);
  const second = await train({ steps: 3300, from: { run: first.id }, seed: 12 });
  assert.deepEqual(second.spec.from, { run: first.id, step: 3100, scheduleFrom: 0 });
  assert.equal((await fetch(`${service.url}/v1/runs/${first.id}`, { method: "DELETE" })).status, 204);
  const third = await train({ steps: 3400, from: { run: second.id } });
  assert.equal(third.result!.steps, 3400);
});

test("a run that trains can be forked where it is, and trains on", async () => {
  const long = await service.createRun({ ...PARENT, steps: 10_000_000, checkpointEvery: 0 });
  for (;;) {
    const { progress } = (await (await service.get(`/v1/runs/${long.id}`)).json()) as Run;
    if (progress.steps > 0) break;
  }
  const fork = await service.createRun({ steps: 10_000_000, from: { run: long.id } });
  assert.ok(fork.spec.from!.step > 0);
  for (const { id } of [long, fork]) {
    await service.post(undefined, `/v1/runs/${id}/cancel`);
    await service.finished(id);
  }
});

test("deleting a run frees its kept checkpoints", async () => {
  const run = await train({ ...PARENT, seed: 13 });
  const redis = new Redis(service.redis.url);
  const keys = () => redis.keys(`*${run.id}*`);
  assert.ok((await keys()).some((key) => key.endsWith(":checkpoint:2000")));
  assert.equal((await fetch(`${service.url}/v1/runs/${run.id}`, { method: "DELETE" })).status, 204);
  // The queue lets go of a job a moment after its run is over, whether that has been deleted or not.
  while ((await keys()).some((key) => key.startsWith(QUEUE_PREFIX))) await new Promise((r) => setTimeout(r, 20));
  const left = await keys();
  redis.disconnect();
  assert.deepEqual(left, []);
});

test("what is wrong with a fork is said by field", async () => {
  const from = { run: parent.id, step: 1000 };
  const cases: [RunRequest, string][] = [
    [{ steps: 1000, from }, "/steps"],
    [{ steps: 4000, from: { ...from, step: 1001 } }, "/from/step"],
    [{ steps: 4000, from: { run: "run_00000000000000000000" } }, "/from/run"],
    [{ steps: 4000, from: { run: "x" } }, "/from/run"],
    [{ steps: 4000, from, model: { hiddenSizes: [8] } }, "/model"],
    [{ steps: 4000, from, dataset: "names" }, "/dataset"],
    [{ steps: 4000, from, lrRange: [0.1, 0.2] }, "/lrRange"],
    [{ steps: 4000, from, schedule: { type: "constant", lr: "auto" } }, "/schedule/lr"],
    [{ steps: 10_000_000, checkpointEvery: 1 }, "/checkpointEvery"],
  ];
  for (const [request, pointer] of cases) assert.deepEqual(await refused(request), [400, pointer]);
  const diverged = await train({
    ...PARENT,
    checkpointEvery: 0,
    optimizer: "sgd",
    model: { activation: "relu" },
    schedule: { type: "constant", lr: 1e6 },
  });
  assert.equal(diverged.status, "diverged");
  assert.deepEqual(await refused({ steps: 4000, from: { run: diverged.id } }), [400, "/from"]);
});

test("a fork can be drawn, from where it begins", async () => {
  const fork = await train({ steps: 2400, from: { run: parent.id, step: 2000 }, schedule: "linear" });
  for (const plot of ["schedule", "loss", "log-loss"]) {
    const response = await service.get(`/v1/runs/${fork.id}/plots/${plot}?runs=${parent.id}`, { accept: "text/plain" });
    assert.equal(response.status, 200, await response.clone().text());
    assert.match(await response.text(), /2,?400|3,?000/);
  }
  const live = await (await service.get(`/v1/runs/${fork.id}/events?format=ansi`)).text();
  assert.match(live, /succeeded/);
  const events = await (await service.get(`/v1/runs/${fork.id}/events?every=100`)).text();
  const envelopes = [...events.matchAll(/^data: (\{"type":"envelope".*)$/gm)].map(([, data]) => JSON.parse(data!));
  assert.deepEqual([envelopes[0].from, envelopes.at(-1).to], [2000, 2400]);
});

test("every event of a fork, thinned or not, can be resumed from: none before its first step", async () => {
  const fork = await train({ steps: 2400, from: { run: parent.id, step: 2000 } });
  for (const query of ["", "?every=100", "?maxHz=50"]) {
    const text = await (await service.get(`/v1/runs/${fork.id}/events${query}`)).text();
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    assert.deepEqual([ids[0], ids.at(-1)], [2000, 2400], query);
    const resumed = await service.get(`/v1/runs/${fork.id}/events${query}`, { "last-event-id": "2000" });
    const columns = (whole: string) => whole.match(/^data: \{"type":"(metrics|envelope)".*$/gm);
    assert.deepEqual(columns(await resumed.text()), columns(text), query);
  }
});
