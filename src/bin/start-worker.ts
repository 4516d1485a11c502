import type { Logger } from "pino";
import { reconcile } from "../queue/reconcile.js";
import { RunQueue } from "../queue/run-queue.js";
import { WorkerHost } from "../queue/worker-host.js";
import { connect, storageProblem } from "../store/connect.js";
import { WORKERS_KEY } from "../store/keys.js";
import { RunStore } from "../store/runs.js";
import { ThreadPool } from "../train/thread-pool.js";
import type { Config } from "./config.js";
import { once, type Service } from "./start-api.js";

/** The heartbeat that /readyz looks for, and how long it outlives a worker. */
const HEARTBEAT_MS = 1000;
const HEARTBEAT_TTL_SECONDS = 5;

export async function startWorker(config: Config, log: Logger): Promise<Service> {
  const connection = connect(config.REDIS_URL, "patient");
  connection.on("error", (error) => log.debug({ err: error }, "redis"));
  const problem = await storageProblem(connection);
  if (problem !== null) {
    connection.disconnect();
    throw new Error(problem);
  }

  const threads = new ThreadPool({
    redisUrl: config.REDIS_URL,
    logLevel: config.LOG_LEVEL,
    enginesModule: new URL("../engine/create.js", import.meta.url).href,
  });
  const host = new WorkerHost({
    connection,
    concurrency: config.WORKER_CONCURRENCY,
    lockDurationMs: config.LOCK_DURATION_MS,
    stalledIntervalMs: config.STALLED_INTERVAL_MS,
    train: (runId) => threads.run(runId),
    onError: (error) => log.warn({ err: error }, "queue"),
  });

  const queue = new RunQueue(connection);
  const runs = new RunStore(connection);
  let suspects = new Set<string>();
  const timers = [
    every(HEARTBEAT_MS, async () => {
      await connection.set(WORKERS_KEY, 1, "EX", HEARTBEAT_TTL_SECONDS);
    }),
    every(config.RECONCILE_INTERVAL_MS, async () => {
      suspects = await reconcile(runs, queue, suspects, (runId) =>
        log.warn({ runId }, "gave a run without a job a new one"),
      );
    }),
  ];

  function every(ms: number, action: () => Promise<void>): NodeJS.Timeout {
    let busy = false;
    const tick = async () => {
      if (busy) return;
      busy = true;
      await action().catch((error) => log.warn({ err: error }, "housekeeping"));
      busy = false;
    };
    void tick();
    return setInterval(tick, ms);
  }

  return {
    close: once(async () => {
      for (const timer of timers) clearInterval(timer);
      await host.pause();
      threads.abort();
      await host.close();
      await threads.close();
      await queue.close();
      connection.disconnect();
    }),
  };
}
