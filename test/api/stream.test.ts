import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import type { Problem } from "../../src/schemas/problem.js";
import type { Run } from "../../src/schemas/run.js";
import type { StreamMessage } from "../../src/schemas/stream.js";
import { QUEUE_PREFIX } from "../../src/store/keys.js";
import {
  type Columns,
  columnsOf,
  exportOf,
  readStream,
  sharedService,
  startService,
  type TestService,
} from "../service.js";

const SMALL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };

let service: TestService;
before(async () => {
  service = await sharedService();
});
after(() => service.stop());

/** All messages of a run's SSE stream, until the server ends it. */
async function readEvents(id: string, headers: Record<string, string> = {}, query = ""): Promise<StreamMessage[]> {
  const text = await (await service.get(`/v1/runs/${id}/events${query}`, headers)).text();
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!));
}

async function exported(id: string): Promise<Columns> {
  return exportOf(service, id);
}

function assertWhole(messages: readonly StreamMessage[], expected: Columns, from = 0): void {
  const columns = columnsOf(messages, from);
  assert.deepEqual(columns, { lr: expected.lr.slice(from), loss: expected.loss.slice(from) });
  assert.equal(messages.filter(({ type }) => type === "end").length, 1);
  assert.equal(messages.at(-1)!.type, "end");
}

test("a subscriber gets each step once, whether it comes before, during or after the run", async () => {
  const run = await service.createRun({ steps: 20_000, schedule: "cyclic", model: SMALL, evalEvery: 5000 });
  const before = readStream(service.url, run.id);
  const sse = readEvents(run.id);
  const during: ReturnType<typeof readStream>[] = [];
  const first = new WebSocket(`${service.url.replace("http", "ws")}/v1/runs/${run.id}/stream`);
  first.on("message", () => {
    if (during.length < 20) during.push(readStream(service.url, run.id));
  });
  await service.finished(run.id);
  const whole = await exported(run.id);
  assert.equal(whole.lr.length, 20_000);
  assertWhole((await before).messages, whole);
  assertWhole(await sse, whole);
  assert.ok(during.length > 0);
  for (const reader of during) assertWhole((await reader).messages, whole);
  const late = await readStream(service.url, run.id);
  assertWhole(late.messages, whole);
  assert.equal(late.code, 1000);
  assertWhole((await readStream(service.url, run.id, 12_345)).messages, whole, 12_345);
  assertWhole(await readEvents(run.id, { "last-event-id": "777" }), whole, 777);
  assertWhole((await readStream(service.url, run.id, 20_000)).messages, whole, 20_000);
  const evals = late.messages.flatMap((message) => (message.type === "metrics" ? (message.evals ?? []) : []));
  assert.deepEqual(
    evals.map(({ step }) => step),
    [5000, 10_000, 15_000, 20_000],
  );
});

test("the exports agree: JSON, NDJSON, CSV, any range", async () => {
  const run = await service.createRun({ steps: 3000, schedule: "sweep", lrRange: [0.001, 0.5], model: SMALL });
  await service.finished(run.id);
  const whole = (await (await service.get(`/v1/runs/${run.id}/metrics`)).json()) as Columns;
  const path = `/v1/runs/${run.id}/metrics?from=100&to=1200`;
  const rows = whole.lr.map((lr, i) => ({ step: i, lr, loss: whole.loss[i] })).slice(100, 1200);
  const ndjson = await (await service.get(path, { accept: "application/x-ndjson" })).text();
  assert.deepEqual(
    ndjson
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
    rows,
  );
  const csv = await (await service.get(path, { accept: "text/csv" })).text();
  assert.equal(csv, `step,lr,loss\n${rows.map(({ step, lr, loss }) => `${step},${lr},${loss}\n`).join("")}`);
  const link = await service.get(`${path}&format=csv`, { accept: "text/html,*/*;q=0.8" });
  assert.match(link.headers.get("content-type")!, /^text\/csv/);
  assert.equal(await link.text(), csv);
  assert.equal((await service.get(path, { accept: "image/png" })).status, 406);
  const refused = await service.get(`${path}&format=xml`);
  assert.equal(refused.status, 400);
  assert.equal(((await refused.json()) as Problem).errors?.[0]?.pointer, "/format");
});

test("summaries: log10 means over windows, envelopes in which every spike survives, exponent and smoothed columns", async () => {
  const run = await service.createRun({ steps: 2500, schedule: "sweep", lrRange: [0.001, 1], model: SMALL });
  await service.finished(run.id);
  const { lr, loss } = await exported(run.id);
  const get = async (query: string) => (await service.get(`/v1/runs/${run.id}/metrics?${query}`)).json();
  const windows = (await get("transform=log10&window=1000")) as { step: number[]; mean: number[] };
  assert.deepEqual(windows.step, [0, 1000, 2000]);
  for (const [w, mean] of windows.mean.entries()) {
    const logs = loss.slice(w * 1000, (w + 1) * 1000).map((value) => Math.log10(value!));
    assert.ok(Math.abs(mean - logs.reduce((a, b) => a + b, 0) / logs.length) < 1e-12);
  }
  const envelope = (await get("points=10")) as { min: number[]; max: number[] };
  assert.equal(envelope.max.length, 10);
  assert.equal(Math.max(...envelope.max), Math.max(...(loss as number[])));
  assert.equal(Math.min(...envelope.min), Math.min(...(loss as number[])));
  const columns = (await get("columns=exponent,smoothed,lr&from=7&smoothing=0.5")) as Record<string, number[]>;
  assert.deepEqual(columns.exponent, lr.slice(7).map(Math.log10));
  let average = 0;
  const smoothed = loss.map((value, i) => {
    average = 0.5 * average + 0.5 * value!;
    return average / (1 - 0.5 ** (i + 1));
  });
  assert.deepEqual(columns.smoothed, smoothed.slice(7));
  assert.equal((await service.get(`/v1/runs/${run.id}/metrics?columns=foo`)).status, 400);
});

test("a plain GET on the WebSocket path, and a step past the run, are told so", async () => {
  const run = await service.createRun({ steps: 10, model: SMALL });
  assert.equal((await service.get(`/v1/runs/${run.id}/stream`)).status, 400);
  assert.equal((await service.get(`/v1/runs/${run.id}/events?from=11`)).status, 400);
});

test("a reader who comes back past the end of the log, as after a roll-back, is told where it ends; one who waits for a step is not", async () => {
  const run = await service.createRun({ steps: 1_000_000, model: SMALL });
  const act = (verb: string) => fetch(`${service.url}/v1/runs/${run.id}/${verb}`, { method: "POST" });
  await act("pause");
  const state = async () => (await service.get(`/v1/runs/${run.id}`)).json() as Promise<Run>;
  let paused = await state();
  while (paused.status !== "paused") paused = await state();
  const back = readEvents(run.id, { "last-event-id": "1000000" });
  const waits = readEvents(run.id, {}, "?from=1000000");
  await act("cancel");
  const told = (await back).filter(({ type }) => type !== "status");
  assert.deepEqual(told[0], { type: "rollback", step: paused.progress.steps });
  for (const messages of [told, await waits]) {
    assert.equal(messages.at(-1)!.type, "end");
    assert.ok(!messages.some(({ type }) => type === "metrics"));
  }
  assert.ok(!(await waits).some(({ type }) => type === "rollback"));
});

test("deleting a finished run frees all of it", async () => {
  const run = await service.createRun({ steps: 10, model: SMALL, labels: ["freed"] });
  await service.finished(run.id);
  assert.equal((await fetch(`${service.url}/v1/runs/${run.id}`, { method: "DELETE" })).status, 204);
  const { Redis } = await import("ioredis");
  const redis = new Redis(service.redis.url);
  const keys = async () => (await redis.keys("*")).filter((key) => key.includes(run.id) || key.includes("freed"));
  // The queue lets go of a job a moment after its run is over, whether that has been deleted or not.
  while ((await keys()).some((key) => key.startsWith(QUEUE_PREFIX))) await new Promise((r) => setTimeout(r, 20));
  const left = await keys();
  redis.disconnect();
  assert.deepEqual(left, []);
});

test("with RUN_TTL_SECONDS, runs that are over are deleted in time, and none before", async () => {
  const short = await startService({ settings: { RUN_TTL_SECONDS: 2 } });
  try {
    const run = await short.createRun({ steps: 10, model: SMALL });
    const { finishedAt } = await short.finished(run.id);
    const startedAt = Date.now();
    while ((await short.get(`/v1/runs/${run.id}`)).status === 200) {
      assert.ok(Date.now() - startedAt < 120_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(Date.now() - Date.parse(finishedAt!) >= 2000, "not before its time");
  } finally {
    await short.stop();
  }
});
