import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { startService } from "../service.js";

/**
 * Must hold: POST /v1/runs makes at least half as many runs a second as bare Queue.add makes jobs at equal concurrency, with
 * a p99 below 50 ms. The sides are interleaved; client and server share the process's core.
 */
const CONCURRENCY = 16;
const ROUNDS = 6;
const CALLS = 400;

async function timed(call: () => Promise<unknown>): Promise<{ perSecond: number; latencies: number[] }> {
  const latencies: number[] = [];
  let left = CALLS;
  const startedAt = performance.now();
  const caller = async () => {
    while (left-- > 0) {
      const calledAt = performance.now();
      await call();
      latencies.push(performance.now() - calledAt);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, caller));
  return { perSecond: CALLS / ((performance.now() - startedAt) / 1000), latencies };
}

const service = await startService({ worker: false });
const connection = new Redis(service.redis.url, { maxRetriesPerRequest: null });
const queue = new Queue("bare", { connection });
const post = async () => {
  const response = await service.post({ steps: 1000, schedule: "cosine" });
  if (response.status !== 202) throw new Error(await response.text());
  await response.arrayBuffer();
};
const add = () => queue.add("attempt", { id: "x" });
await timed(post);
await timed(add);
const ratios: number[] = [];
const latencies: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const [ours, bare] = [await timed(post), await timed(add)];
  ratios.push(ours.perSecond / bare.perSecond);
  latencies.push(...ours.latencies);
  console.log(`POST ${ours.perSecond.toFixed(0)}/s, Queue.add ${bare.perSecond.toFixed(0)}/s`);
}
const middle = (values: number[], part: number) => values.sort((a, b) => a - b)[Math.floor(values.length * part)]!;
console.log(
  `ratio ${middle(ratios, 0.5).toFixed(2)} (floor 0.5), p99 ${middle(latencies, 0.99).toFixed(1)} ms (limit 50)`,
);
await queue.close();
connection.disconnect();
await service.stop();
