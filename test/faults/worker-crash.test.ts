import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Run, RunRequest } from "../../src/spec/run.js";
import { columnsOf, readStream, startService, type TestService, testConfig } from "../service.js";

const SEED = Number(process.env.FAULT_SEED ?? randomInt(1e6));
const REQUEST: RunRequest = {
  steps: 400_000,
  schedule: "cyclic",
  seed: 11,
  evalEvery: 100_000,
  model: { hiddenSizes: [32] },
};

let service: TestService;
let expected: { metrics: string; result: unknown; checkpoint: string };
const workers = new Set<ChildProcess>();

before(async () => {
  console.log(`FAULT_SEED=${SEED}`);
  service = await startService({ worker: false });
  const worker = startWorker();
  expected = await outcome((await service.createRun(REQUEST)).id);
  await end(worker, "SIGTERM");
});
after(async () => {
  for (const worker of workers) await end(worker, "SIGKILL");
  await service?.stop();
});

function startWorker(): ChildProcess {
  const settings = Object.entries({ ...testConfig(service.redis.url), WORKER_CONCURRENCY: 1 });
  const env = Object.fromEntries(settings.map(([name, value]) => [name, String(value)]));
  const worker = spawn(process.execPath, ["dist/src/bin/worker.js"], {
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  workers.add(worker);
  return worker;
}

async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  workers.delete(worker);
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill(signal);
  await once(worker, "exit");
}

const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Waits for the end; every stored byte of it by hash. Throws where a step is missing, doubled, or after the end. */
async function outcome(id: string): Promise<typeof expected> {
  const { messages } = await readStream(service.url, id);
  columnsOf(messages);
  assert.equal(messages.filter(({ type }) => type === "end").length, 1);
  assert.equal(messages.at(-1)!.type, "end");
  const run = (await (await service.get(`/v1/runs/${id}`)).json()) as Run;
  assert.equal(run.status, "succeeded", run.reason ?? "");
  const csv = await (await service.get(`/v1/runs/${id}/metrics`, { accept: "text/csv" })).text();
  const redis = new Redis(service.redis.url);
  const { engine } = await redis.hgetallBuffer(`anneal:run:${id}:checkpoint`);
  redis.disconnect();
  return { metrics: sha256(csv), result: { ...run.result, wallSeconds: 0 }, checkpoint: sha256(engine!) };
}

async function committed(id: string): Promise<number> {
  return ((await (await service.get(`/v1/runs/${id}`)).json()) as Run).progress.steps;
}

/** A small generator, so that a printed seed repeats the kills. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test("promise 1: kill -9 of the worker loses and doubles nothing; weights and metrics are those of an unbroken run", async () => {
  const random = generator(SEED);
  const { id } = await service.createRun(REQUEST);
  let kills = 0;
  let before = 0;
  for (; kills < 6; kills++) {
    const worker = startWorker();
    const target = before + 1 + Math.floor(random() * 30_000);
    while ((await committed(id)) < target) await delay(5);
    await delay(random() * 30);
    await end(worker, "SIGKILL");
    before = await committed(id);
    if (before >= REQUEST.steps) break;
  }
  assert.ok(kills >= 3, `only ${kills} kills came in time`);
  startWorker();
  assert.deepEqual(await outcome(id), expected);
});

test("promise 2: a worker stopped past its lock, and woken later, writes nothing; its stale commit is refused and counted", async () => {
  for (const worker of workers) await end(worker, "SIGTERM");
  const { id } = await service.createRun(REQUEST);
  const zombie = startWorker();
  while ((await committed(id)) < 20_000) await delay(5);
  zombie.kill("SIGSTOP");
  const frozenAt = await committed(id);
  startWorker();
  while ((await committed(id)) <= frozenAt) await delay(20);
  zombie.kill("SIGCONT");
  assert.deepEqual(await outcome(id), expected);
  const redis = new Redis(service.redis.url);
  const refused = Number(await redis.hget("anneal:totals", "refused"));
  redis.disconnect();
  assert.ok(refused >= 1, "no stale commit was refused");
});

test("promise 12: a worker told to end hands its run over without costing an attempt, and exits within a chunk", async () => {
  for (const worker of workers) await end(worker, "SIGTERM");
  const { id } = await service.createRun(REQUEST);
  const first = startWorker();
  while ((await committed(id)) < 20_000) await delay(5);
  const started = performance.now();
  await end(first, "SIGTERM");
  assert.ok(performance.now() - started < 3000, "the worker took too long to end");
  assert.equal(((await (await service.get(`/v1/runs/${id}`)).json()) as Run).status, "queued");
  startWorker();
  assert.deepEqual(await outcome(id), expected);
});
