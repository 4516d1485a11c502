/**
 * `npm run bench:service [-- --steps 400000] [--rounds 3]`: what the whole service costs beside the bare engine, at the default
 * shape (3, 10, [200], 32). Redis, API and worker are processes of their own; this one holds one WebSocket per run and reads
 * all of it. Each round times, on the same clock: the bare engine on one thread and on two, one run, two runs at once. A run's
 * speed is taken over the steps between its first and its last metrics message. On a machine with other work the ratio of
 * processor times tells more: steps per processor second of the training thread, beside the bare engine's. Memory: what one run of 200,000 steps
 * adds to Redis and to the worker.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { Redis } from "ioredis";
import { WebSocket } from "ws";
import { parseDataset, splitExamples } from "../../src/core/dataset.js";
import { initialParameters } from "../../src/core/model.js";
import { createEngine } from "../../src/engine/create.js";
import type { ModelSpec } from "../../src/schemas/model.js";
import type { Run } from "../../src/schemas/run.js";
import type { StreamMessage } from "../../src/schemas/stream.js";
import { freePort, startRedis } from "../redis.js";

const MEMORY_STEPS = 200_000;
const LR = 0.01;
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

if (isMainThread) await main();
else await serveBareEngine();

/** In a worker thread: trains as many steps as each message says and answers with steps/s. */
async function serveBareEngine(): Promise<void> {
  const text = readFileSync(new URL("../../../src/store/datasets/names.txt", import.meta.url), "utf8");
  const data = parseDataset(text);
  const model: ModelSpec = {
    contextLength: 3,
    embeddingDim: 10,
    hiddenSizes: [200],
    activation: "tanh",
    init: "scaled",
  };
  const engine = await createEngine("auto", {
    model,
    vocabSize: data.symbols.length,
    batchSize: 32,
    optimizer: { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 },
    seed: 1,
    splits: splitExamples(data, model.contextLength),
    parameters: initialParameters(model, data.symbols.length, 1),
  });
  parentPort!.on("message", (steps: number) => {
    const start = performance.now();
    const busy = processorSeconds("/proc/thread-self");
    engine.steps({ lr: new Float64Array(steps).fill(LR) }, new Float32Array(steps));
    const seconds = (performance.now() - start) / 1000;
    parentPort!.postMessage([steps / seconds, steps / (processorSeconds("/proc/thread-self") - busy)]);
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { steps: { type: "string", default: "400000" }, rounds: { type: "string", default: "3" } },
  });
  const steps = Number(values.steps);
  const redis = await startRedis();
  const port = await freePort();
  const children: ChildProcess[] = [];
  const program = (name: string) => {
    const env = {
      ...process.env,
      REDIS_URL: redis.url,
      PORT: String(port),
      WORKER_CONCURRENCY: "2",
      LOG_LEVEL: "warn",
    };
    const file = fileURLToPath(new URL(`../../programs/${name}.js`, import.meta.url));
    const child = spawn(process.execPath, [file], { env, stdio: ["ignore", "inherit", "inherit"] });
    children.push(child);
    return child;
  };
  const bare = [0, 1].map(() => new Worker(new URL(import.meta.url)));
  try {
    program("api");
    const worker = program("worker");
    const url = `http://127.0.0.1:${port}`;
    while ((await fetch(`${url}/readyz`).catch(() => null))?.status !== 200) await delay(50);
    await measureMemory(redis.url, url, worker.pid!);
    if (values.rounds !== "0") await measureSpeed(url, worker.pid!, bare, steps, Number(values.rounds));
  } finally {
    for (const child of children) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await Promise.all(bare.map((thread) => thread.terminate()));
    await redis.stop();
  }
}

async function measureSpeed(
  url: string,
  workerPid: number,
  bare: readonly Worker[],
  steps: number,
  rounds: number,
): Promise<void> {
  const train = async (thread: Worker) => {
    thread.postMessage(steps);
    return (await once(thread, "message"))[0] as [speed: number, perProcessorSecond: number];
  };
  const ratios = {
    one: [] as number[],
    wall: [] as number[],
    two: [] as number[],
    processor: [] as number[],
    bareTwo: [] as number[],
  };
  for (let round = 0; round < rounds; round++) {
    const [before, perSecond] = await train(bare[0]!);
    const threads = threadSeconds(workerPid);
    const one = await run(url, steps);
    const trained = Math.max(...[...threadSeconds(workerPid)].map(([id, seconds]) => seconds - (threads.get(id) ?? 0)));
    const [after, perSecondAfter] = await train(bare[0]!);
    const both = await Promise.all(bare.map(train));
    const bareTwo = both[0]![0] + both[1]![0];
    const pair = await Promise.all([run(url, steps), run(url, steps)]);
    const two = pair[0].speed + pair[1].speed;
    const engine = (before + after) / 2;
    ratios.one.push(one.speed / engine);
    ratios.wall.push(one.wallSpeed / engine);
    ratios.processor.push(steps / trained / ((perSecond + perSecondAfter) / 2));
    ratios.two.push(two / one.speed);
    ratios.bareTwo.push(bareTwo / engine);
    const numbers = [engine, one.speed, one.wallSpeed, two, bareTwo].map(Math.round).join(", ");
    console.log(`round ${round + 1}, steps/s: engine, run, run with start and end, two runs, two engines: ${numbers}`);
  }
  const line = (what: string, values: number[], target = "") =>
    console.log(`${what.padEnd(58)}${median(values).toFixed(3)}${target}`);
  line("one run / bare engine", ratios.one, "  (target 0.9)");
  line("one run with its start and its final evaluation / engine", ratios.wall);
  line("the same by processor time of the training thread", ratios.processor);
  line("two runs at once / one run", ratios.two, "  (target 1.8)");
  line("two bare engines at once / one: what the machine has", ratios.bareTwo);
}

async function measureMemory(redisUrl: string, url: string, workerPid: number): Promise<void> {
  const client = new Redis(redisUrl);
  const used = async () => Number(/used_memory:(\d+)/.exec(await client.info("memory"))![1]);
  const row = (what: string, bytes: number, target = "") =>
    console.log(`${what.padEnd(58)}${(bytes / 1e6).toFixed(2)} MB${target}`);
  for (const which of ["first", "second"]) {
    const redisBefore = await used();
    const rssBefore = residentBytes(workerPid);
    let most = rssBefore;
    const watch = setInterval(() => {
      most = Math.max(most, residentBytes(workerPid));
    }, 20);
    const { id } = await run(url, MEMORY_STEPS);
    clearInterval(watch);
    await delay(500);
    let keys = 0;
    for (const key of await client.keys(`*${id}*`)) keys += Number(await client.memory("USAGE", key, "SAMPLES", 0));
    row(`Redis, the ${which} run's keys`, keys, "  (target 4)");
    row(`Redis, all that the ${which} run added`, (await used()) - redisBefore, "  (target 4)");
    const thread = which === "first" ? ", its thread included" : "";
    row(`worker, most that the ${which} run added${thread}`, most - rssBefore, "  (target 40)");
  }
  client.disconnect();
}

/** Processor seconds of one thread, by its folder in /proc (Linux). */
function processorSeconds(folder: string): number {
  return Number(readFileSync(`${folder}/schedstat`, "utf8").split(" ")[0]) / 1e9;
}

/** The same of every thread of a process, by thread id. */
function threadSeconds(pid: number): Map<string, number> {
  const folder = `/proc/${pid}/task`;
  return new Map(readdirSync(folder).map((id) => [id, processorSeconds(`${folder}/${id}`)]));
}

/** Resident memory of a process (Linux). */
function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}

/** One run of `steps`, followed by one subscriber from its creation to its end. */
async function run(url: string, steps: number): Promise<{ id: string; speed: number; wallSpeed: number }> {
  const body = JSON.stringify({ steps, schedule: { type: "constant", lr: LR } });
  const response = await fetch(`${url}/v1/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  assert.equal(response.status, 202, await response.clone().text());
  const { id } = (await response.json()) as Run;
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/runs/${id}/stream`);
  let seen = 0;
  let first: { readonly step: number; readonly at: number } | undefined;
  let last = performance.now();
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as StreamMessage;
    if (message.type !== "metrics") return;
    assert.equal(message.from, seen);
    seen += message.loss.length;
    last = performance.now();
    first ??= { step: seen, at: last };
  });
  await once(socket, "close");
  assert.equal(seen, steps);
  const { result } = (await (await fetch(`${url}/v1/runs/${id}`)).json()) as Run;
  return { id, speed: ((steps - first!.step) / (last - first!.at)) * 1000, wallSpeed: steps / result!.wallSeconds };
}
