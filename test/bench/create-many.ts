/**
 * `node dist/test/bench/create-many.js`: runs that POST /v1/runs makes of arrays of 1,000, beside the jobs that BullMQ's own addBulk
 * makes of as many, in turns; every array is answered, and all its jobs are there, before the next begins. Then, with a worker, the
 * time from a POST of one run to its first metrics on an open socket.
 */
import { once } from "node:events";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { WebSocket } from "ws";
import { RunQueue } from "../../src/queue/run-queue.js";
import { LIMITS } from "../../src/schemas/limits.js";
import type { Run } from "../../src/schemas/run.js";
import { QUEUE_PREFIX } from "../../src/store/keys.js";
import { Scene } from "../faults/harness/scene.js";

const ROUNDS = 15;
const FOLLOWED = 200;
const SIZE = LIMITS.createdRuns;
const part = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)]!;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function post(url: string, body: string): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/v1/runs`, { method: "POST", headers, body });
  if (response.status !== 202) throw new Error(await response.text());
  return response.json();
}

await createArrays();
await followFirst();

async function createArrays(): Promise<void> {
  const scene = await Scene.open();
  const connection = new Redis(scene.redis.url, { maxRetriesPerRequest: null });
  const bare = new Queue("bare", { connection });
  const queue = new RunQueue(scene.direct, QUEUE_PREFIX);
  try {
    const { url } = await scene.api();
    const requests = JSON.stringify(Array.from({ length: SIZE }, () => ({ steps: 1000, schedule: "cosine" })));
    const opts = { removeOnComplete: true, removeOnFail: true };
    let runs = 0;
    const create = async () => {
      let made: Run[] = [];
      const answered = await timed(async () => {
        made = (await post(url, requests)) as Run[];
      });
      runs += made.length;
      const queued = await timed(async () => {
        while ((await queue.counts()).waiting !== runs);
      });
      return { answered, all: answered + queued };
    };
    const bulk = (priority?: number) =>
      timed(() =>
        bare.addBulk(
          Array.from({ length: SIZE }, (_, i) => ({
            name: "attempt",
            data: { id: "x" },
            opts: { ...opts, ...(priority !== undefined && { priority: priority + i }) },
          })),
        ),
      );
    await create();
    await bulk();
    await bulk(1);
    const times = { answered: [] as number[], all: [] as number[], bulk: [] as number[], inLine: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      const { answered, all } = await create();
      times.answered.push(answered);
      times.all.push(all);
      times.bulk.push(await bulk());
      times.inLine.push(await bulk(1));
    }
    const rate = (values: readonly number[]) => (SIZE / part(values, 0.5)) * 1000;
    const line = (what: string, values: readonly number[]) => {
      const ratio = (rate(values) / rate(times.bulk)).toFixed(2);
      console.log(`${what.padEnd(48)}${rate(values).toFixed(0).padStart(7)} a second, ratio ${ratio}`);
    };
    line(`addBulk of ${SIZE} jobs`, times.bulk);
    line("addBulk of as many with priorities, as runs have", times.inLine);
    line(`POST of ${SIZE} runs, to its answer (target 0.8)`, times.answered);
    line("POST of as many, to their last job", times.all);
  } finally {
    await queue.close();
    await bare.close();
    connection.disconnect();
    await scene.close();
  }
}

async function followFirst(): Promise<void> {
  const scene = await Scene.open();
  try {
    const { url } = await scene.api();
    scene.spawn("worker", { WORKER_CONCURRENCY: 1 });
    // The worker's start, and its thread's, are waited for by the first.
    const socket = new WebSocket(`${url.replace("http", "ws")}/v1/stream`);
    await once(socket, "open");
    const times: number[] = [];
    const body = JSON.stringify({ steps: 100, batchSize: 8, model: { hiddenSizes: [16] }, schedule: "cosine" });
    for (let i = 0; i <= FOLLOWED; i++) {
      const start = performance.now();
      const { id } = (await post(url, body)) as Run;
      const over = new Promise<void>((resolve) => {
        const take = (data: unknown) => {
          const message = JSON.parse(String(data)) as { type: string; run?: string };
          if (message.run !== id) return;
          if (message.type === "metrics" && times.length === i) times.push(performance.now() - start);
          if (message.type !== "end") return;
          socket.off("message", take);
          resolve();
        };
        socket.on("message", take);
      });
      socket.send(JSON.stringify({ type: "subscribe", run: id }));
      await over;
    }
    socket.close();
    times.shift();
    const [p50, p99] = [part(times, 0.5), part(times, 0.99)].map((ms) => ms.toFixed(1));
    console.log(
      `from POST to the first metrics, ${FOLLOWED} runs: p50 ${p50} ms (target 20), p99 ${p99} ms (target 60)`,
    );
  } finally {
    await scene.close();
  }
}
