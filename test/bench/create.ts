import { Agent, request } from "node:http";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { Scene } from "../faults/harness/scene.js";

/**
 * Must hold: POST /v1/runs makes at least half as many runs a second as bare Queue.add makes jobs at equal concurrency, with
 * a p99 below 50 ms. The API is a process of its own, as shipped; this one holds the clients of either side, which take turns.
 */
const CONCURRENCY = [16, 64];
const ROUNDS = 5;
const SECONDS = 1.5;

interface Rate {
  readonly perSecond: number;
  readonly latencies: number[];
}

async function timed(concurrency: number, call: () => Promise<unknown>): Promise<Rate> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const end = startedAt + SECONDS * 1000;
  const caller = async () => {
    for (let now = performance.now(); now < end; ) {
      await call();
      const done = performance.now();
      latencies.push(done - now);
      now = done;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return { perSecond: latencies.length / ((performance.now() - startedAt) / 1000), latencies };
}

const agent = new Agent({ keepAlive: true });
const BODY = JSON.stringify({ steps: 1000, schedule: "cosine" });
const headers = { "content-type": "application/json", "content-length": BODY.length };

function post(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, method: "POST", headers }, (response) => {
      if (response.statusCode !== 202) reject(new Error(`status ${response.statusCode}`));
      response.resume();
      response.on("end", resolve);
    });
    call.on("error", reject);
    call.end(BODY);
  });
}

const middle = (values: number[], part: number) => values.sort((a, b) => a - b)[Math.floor(values.length * part)]!;

for (const concurrency of CONCURRENCY) {
  const scene = await Scene.open();
  const connection = new Redis(scene.redis.url, { maxRetriesPerRequest: null });
  const queue = new Queue("bare", { connection });
  try {
    const api = await scene.api();
    const ours = () => timed(concurrency, () => post(`${api.url}/v1/runs`));
    const bare = () => timed(concurrency, () => queue.add("attempt", { id: "x" }));
    await ours();
    await bare();
    const ratios: number[] = [];
    const latencies: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [run, job] = [await ours(), await bare()];
      ratios.push(run.perSecond / job.perSecond);
      latencies.push(...run.latencies);
      console.log(`POST ${run.perSecond.toFixed(0)}/s, Queue.add ${job.perSecond.toFixed(0)}/s`);
    }
    const p99 = middle(latencies, 0.99).toFixed(1);
    console.log(
      `concurrency ${concurrency}: ratio ${middle(ratios, 0.5).toFixed(2)} (floor 0.5), p99 ${p99} ms (limit 50)`,
    );
  } finally {
    await queue.close();
    connection.disconnect();
    await scene.close();
  }
}
agent.destroy();
