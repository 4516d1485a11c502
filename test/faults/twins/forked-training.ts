import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import type { TrainingOutcome } from "../../../src/train/run-training.js";
import { type ThreadData, ThreadPool } from "../../../src/train/thread-pool.js";

const [role, runId] = process.argv.slice(2);

/** Broken twin: runs are trained by a child process. */
if (isMainThread && role === "train") {
  const data: ThreadData = {
    redisUrl: process.env.REDIS_URL!,
    redisReplicas: 0,
    logRates: "stored",
    logLevel: "silent",
    worker: "forked",
  };
  const module = new URL("../../../src/bin/training-thread.js", import.meta.url);
  await new ThreadPool(module, data).run(runId!, 0);
  process.exit();
} else if (isMainThread) {
  ThreadPool.prototype.run = (id) =>
    new Promise<TrainingOutcome>((resolve) => {
      const options = { execArgv: [] };
      fork(fileURLToPath(import.meta.url), ["train", id], options).once("exit", () => resolve("over"));
    });
}
