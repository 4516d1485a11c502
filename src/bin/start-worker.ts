import { hostname } from "node:os";
import type { Logger } from "pino";
import { GRACE_MS, type JobRef, type Missing, reconcile } from "../queue/reconcile.js";
import { type QueueName, RunQueue } from "../queue/run-queue.js";
import { WorkerHost } from "../queue/worker-host.js";
import { connect, storageProblem } from "../store/connect.js";
import { WORKERS_KEY, workerKey } from "../store/keys.js";
import { MetricsReader } from "../store/metrics.js";
import { RunStore } from "../store/runs.js";
import { SearchStore } from "../store/searches.js";
import { Tail } from "../store/tail.js";
import { releaseForsaken, runSearch } from "../train/run-search.js";
import { Suspects } from "../train/suspects.js";
import { ThreadPool } from "../train/thread-pool.js";
import type { Config } from "./config.js";
import { once, type Service } from "./start-api.js";

/** The heartbeat that /readyz looks for, and how long it outlives a worker. */
const HEARTBEAT_MS = 1000;
const HEARTBEAT_TTL_SECONDS = 5;
type Attempt = (id: string, epoch: number) => Promise<"released" | "over">;
/** They do little but wait. */
const SEARCHES_AT_ONCE = 50;

export async function startWorker(config: Config, log: Logger): Promise<Service> {
  const connection = connect(config.REDIS_URL, "patient");
  connection.on("error", (error) => log.debug({ err: error }, "redis"));
  const problem = await storageProblem(connection);
  if (problem !== null) {
    connection.disconnect();
    throw new Error(problem);
  }

  const threads = new ThreadPool(
    {
      redisUrl: config.REDIS_URL,
      logLevel: config.LOG_LEVEL,
      enginesModule: new URL("../engine/create.js", import.meta.url).href,
    },
    config.WORKER_CONCURRENCY,
  );
  const queues = { runs: new RunQueue(connection), searches: new RunQueue(connection, "searches") };
  const runs = new RunStore(connection);
  const reader = connect(config.REDIS_URL, "patient");
  const subscriber = connect(config.REDIS_URL, "patient");
  for (const extra of [reader, subscriber]) extra.on("error", (error) => log.debug({ err: error }, "redis"));
  const tail = new Tail(reader, subscriber);
  await tail.start();
  const searching = new AbortController();
  const searchDeps = {
    searches: new SearchStore(connection),
    runs,
    metrics: new MetricsReader(reader),
    tail,
    enqueue: (id: string, epoch: number) => queues.runs.enqueue(id, epoch),
    log,
  };

  const host = (queue: QueueName, concurrency: number, attempt: Attempt) =>
    new WorkerHost({
      queue,
      connection,
      concurrency,
      lockDurationMs: config.LOCK_DURATION_MS,
      stalledIntervalMs: config.STALLED_INTERVAL_MS,
      attempt,
      onError: (error) => log.warn({ err: error }, "queue"),
    });
  const suspects = new Suspects();
  const hosts = [
    host("runs", config.WORKER_CONCURRENCY, async (id, epoch) => {
      if (!(await runs.diedEarly(id))) return threads.run(id, epoch);
      return suspects.begin((onProgress) => threads.run(id, epoch, onProgress));
    }),
    host("searches", SEARCHES_AT_ONCE, (id, epoch) => runSearch(searchDeps, id, epoch, searching.signal)),
  ];

  /** Searches are runs that only wait; which queue a record's job belongs to follows from its id. */
  const queueOf = (id: string) => (id.startsWith("search_") ? queues.searches : queues.runs);
  const jobs = {
    missing: async (refs: readonly JobRef[]) =>
      (
        await Promise.all(
          Object.values(queues).map((queue) => queue.missing(refs.filter(({ id }) => queueOf(id) === queue))),
        )
      ).flat(),
    enqueue: (id: string, epoch: number) => queueOf(id).enqueue(id, epoch),
  };
  let jobless: Missing = new Map();
  const looks = 1 + Math.ceil(GRACE_MS / config.RECONCILE_INTERVAL_MS);
  const timers = [
    every(HEARTBEAT_MS, async () => {
      for (const key of [WORKERS_KEY, workerKey(hostname())]) await connection.set(key, 1, "EX", HEARTBEAT_TTL_SECONDS);
    }),
    every(config.RECONCILE_INTERVAL_MS, async () => {
      jobless = await reconcile(runs, jobs, jobless, looks, (id) =>
        log.warn({ id }, "gave a record without a job a new one"),
      );
      await releaseForsaken(searchDeps);
      if (config.RUN_TTL_SECONDS > 0) {
        for (const store of [runs, searchDeps.searches]) await store.expire(config.RUN_TTL_SECONDS);
      }
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
      await Promise.all(hosts.map((host) => host.pause()));
      threads.abort();
      searching.abort();
      await Promise.all(hosts.map((host) => host.close()));
      await threads.close();
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
      for (const open of [connection, reader, subscriber]) open.disconnect();
    }),
  };
}
