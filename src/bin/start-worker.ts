import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { VERSION } from "../api/http/version.js";
import { engineBuilds } from "../engine/builds.js";
import { QueueWorker } from "../queue/worker.js";
import { connect, storageProblem } from "../store/connect.js";
import { RedisExperimentStore } from "../store/experiments.js";
import { RedisFleet } from "../store/fleet.js";
import { formatProblem } from "../store/format.js";
import { RedisMetricsReader } from "../store/metrics.js";
import { RedisRunStore } from "../store/runs.js";
import { RedisSearchStore } from "../store/searches.js";
import { RedisTail } from "../store/tail.js";
import type { TrainingEvent } from "../train/events.js";
import { releaseForsaken } from "../train/forsaken.js";
import { runExperiment } from "../train/run-experiment.js";
import { runSearch } from "../train/run-search.js";
import { Suspects } from "../train/suspects.js";
import { ThreadPool } from "../train/thread-pool.js";
import type { Config } from "./config.js";
import type { Observability } from "./observability.js";
import { once, type Service } from "./start-api.js";
import { startWorkerHttp } from "./worker-http.js";
import { createWorkerMetrics } from "./worker-metrics.js";

/** They do little but wait. */
const PARENTS_AT_ONCE = 50;

export async function startWorker(
  config: Config,
  { log, registry, telemetry }: Observability,
): Promise<Service & { readonly url: string | null }> {
  const name = `${hostname()}:${process.pid}`;
  const connection = connect(config.REDIS_URL, "patient");
  const [reader, subscriber] = [connect(config.REDIS_URL, "listening"), connect(config.REDIS_URL, "listening")];
  const connections = [connection, reader, subscriber];
  for (const open of connections) open.on("error", (error) => log.debug({ err: error }, "redis"));
  const disconnect = () => {
    for (const open of connections) open.disconnect();
  };
  const problem = (await storageProblem(connection)) ?? (await formatProblem(connection));
  if (problem !== null) {
    disconnect();
    throw new Error(problem);
  }

  const threads = new ThreadPool(
    new URL("./training-thread.js", import.meta.url),
    { redisUrl: config.REDIS_URL, logLevel: config.LOG_LEVEL, worker: name },
    config.WORKER_CONCURRENCY,
  );
  const suspects = new Suspects();
  const [runs, searches] = [new RedisRunStore(connection), new RedisSearchStore(connection)];
  const experiments = new RedisExperimentStore(connection);
  const fleet = new RedisFleet(connection);
  const metrics = new RedisMetricsReader(connection);
  const tail = new RedisTail(reader, subscriber);
  await tail.start();
  const stopping = new AbortController();
  const measure = createWorkerMetrics(registry, config.WORKER_CONCURRENCY, () => threads.busy);
  const train = (id: string, epoch: number, onProgress = () => {}) => {
    const follow = telemetry?.attempt(id);
    return threads.run(id, epoch, (event: TrainingEvent) => {
      measure(event);
      follow?.(event);
      if (event.type === "committed") onProgress();
    });
  };
  const self = {
    host: hostname(),
    pid: process.pid,
    version: VERSION,
    engines: await engineBuilds(),
    startedAt: Date.now(),
  };

  const worker = new QueueWorker({
    connection,
    lockDurationMs: config.LOCK_DURATION_MS,
    stalledIntervalMs: config.STALLED_INTERVAL_MS,
    telemetry: telemetry?.queue,
    work: (jobs) => {
      const enqueue = (id: string, epoch: number) => jobs.enqueue(id, epoch);
      const parentDeps = { searches, experiments, runs, metrics, tail, enqueue, worker: name, log };
      return {
        runs: {
          concurrency: config.WORKER_CONCURRENCY,
          attempt: async (id, epoch) => {
            if (!(await runs.diedEarly(id))) return train(id, epoch);
            return suspects.begin((onProgress) => train(id, epoch, onProgress));
          },
        },
        searches: {
          concurrency: PARENTS_AT_ONCE,
          attempt: (id, epoch) => runSearch(parentDeps, id, epoch, stopping.signal),
        },
        experiments: {
          concurrency: PARENTS_AT_ONCE,
          attempt: (id, epoch) => runExperiment(parentDeps, id, epoch, stopping.signal),
        },
      };
    },
    heartbeat: (ttl, lagMs) => fleet.heartbeat(name, config.WORKER_CONCURRENCY, ttl, { ...self, ttl, lagMs }),
    records: runs,
    endForsaken: () => releaseForsaken({ runs, searches }),
    expire: async (ttlSeconds) => {
      for (const store of [runs, searches, experiments]) await store.expire(ttlSeconds);
    },
    ttlSeconds: config.RUN_TTL_SECONDS,
    intervalMs: config.RECONCILE_INTERVAL_MS,
    onMended: (id) => log.warn({ id }, "gave a record without a job a new one"),
    onError: (error, where) => log.warn({ err: error }, where),
  });

  const http =
    config.WORKER_PORT === undefined
      ? null
      : await startWorkerHttp({ host: config.HOST, port: config.WORKER_PORT }, registry, async () =>
          connection.status === "ready" ? null : "Redis does not answer",
        );
  const bound = http?.server.address() as AddressInfo | undefined;
  return {
    url: bound === undefined ? null : `http://${bound.address}:${bound.port}`,
    close: once(async () => {
      await http?.close();
      await worker.close(() => {
        threads.abort();
        stopping.abort();
      });
      await threads.close();
      disconnect();
    }),
  };
}
