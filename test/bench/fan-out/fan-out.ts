import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../../../src/store/connect.js";
import { logKey } from "../../../src/store/keys.js";
import { until } from "../../faults/harness/process.js";
import { Scene } from "../../faults/harness/scene.js";
import type { Arrivals, Order } from "./clients.js";

/**
 * Must hold, server and clients together on two cores: SUBSCRIBERS of one run at full speed get at least 0.8 of the bytes that
 * a bare ws broadcast of the same frames gets to as many; commit-to-client p99 below 500 ms; at most 30 KB of server memory a
 * subscriber. The sides take turns within one run.
 */
const SUBSCRIBERS = Number(process.argv[2] ?? 1000);
const SECONDS = 10;
const ROUNDS = 3;

const here = (name: string) => join(import.meta.dirname, name);
const memoryOf = (pid: number) =>
  Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)![1]) * 1024;
const message = async (child: ChildProcess) => (await once(child, "message"))[0];

const scene = await Scene.open();
const children: ChildProcess[] = [];
const child = (name: string, ...args: string[]) => {
  const process = fork(here(name), args);
  children.push(process);
  return process;
};
try {
  const api = await scene.api();
  scene.spawn("worker");
  const { id } = await api.create({ steps: 10_000_000, seed: 1 });
  await until("it trains", async () => (await scene.committed(id)) > 0);

  // When each commit could first be read: by a process that does nothing else.
  const committedAt = new Map<number, number>();
  const watcher = connect(scene.redis.url, "patient");
  watcher.on("error", () => {});
  const watch = async () => {
    for (let after = "$"; ; ) {
      const read = await watcher.xread("BLOCK", 0, "STREAMS", logKey(id), after).catch(() => null);
      if (read === null) return;
      for (const [entry] of read[0]![1]) {
        committedAt.set(Number.parseInt(entry, 10), Date.now());
        after = entry;
      }
    }
  };
  void watch();

  const stream = async () => `${api.url.replace("http", "ws")}/v1/runs/${id}/stream?from=${await scene.committed(id)}`;
  const clients = child("clients.js");
  const listen = async (url: string, count = SUBSCRIBERS): Promise<{ arrivals: Arrivals; rate: number }> => {
    clients.send({ url, count, seconds: SECONDS } satisfies Order);
    await message(clients);
    const before = await scene.committed(id);
    const startedAt = performance.now();
    const arrivals = (await message(clients)) as Arrivals;
    const rate = ((await scene.committed(id)) - before) / ((performance.now() - startedAt) / 1000);
    return { arrivals, rate };
  };

  const ratios: number[] = [];
  const lags: number[] = [];
  let perSubscriber = 0;
  /** The most memory that the server takes meanwhile. */
  const mostMemory = async (work: () => Promise<unknown>): Promise<number> => {
    let most = 0;
    const sampler = setInterval(() => {
      most = Math.max(most, memoryOf(api.process.pid));
    }, 100);
    await work();
    clearInterval(sampler);
    return most;
  };
  // What a stream takes however many follow it: code, garbage, the entries that are kept.
  const fixed = await mostMemory(async () => listen(await stream(), 1));
  for (let round = 0; round < ROUNDS; round++) {
    let ours!: Awaited<ReturnType<typeof listen>>;
    const most = await mostMemory(async () => {
      ours = await listen(await stream());
    });
    const relay = child("bare.js", await stream());
    const bare = await listen((await message(relay)) as string);
    relay.kill();
    perSubscriber = Math.max(perSubscriber, (most - fixed) / SUBSCRIBERS);
    for (const [step, ms] of ours.arrivals.at) {
      const at = committedAt.get(step);
      if (at !== undefined) lags.push(ms - at);
    }
    const speed = ({ arrivals, rate }: typeof ours) =>
      `${(arrivals.bytes / arrivals.seconds / 1e6).toFixed(0)} MB/s of ${(arrivals.bytes / Math.max(1, arrivals.messages) / 1e3).toFixed(0)} KB frames, training at ${rate.toFixed(0)} steps/s`;
    console.log(`ours ${speed(ours)}; bare ws ${speed(bare)}`);
    ratios.push(ours.arrivals.bytes / ours.arrivals.seconds / (bare.arrivals.bytes / bare.arrivals.seconds));
  }
  ratios.sort((a, b) => a - b);
  lags.sort((a, b) => a - b);
  const p99 = lags[Math.floor(lags.length * 0.99)] ?? Number.NaN;
  console.log(
    `${SUBSCRIBERS} subscribers: ratio ${ratios[Math.floor(ROUNDS / 2)]!.toFixed(2)} (floor 0.8), commit to client p50 ${lags[lags.length >> 1]} ms, p99 ${p99} ms (limit 500), ${(perSubscriber / 1000).toFixed(1)} KB a subscriber (limit 30)`,
  );
  watcher.disconnect();
} finally {
  for (const process of children) process.kill();
  await scene.close();
}
