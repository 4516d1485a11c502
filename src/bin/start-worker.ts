import type { AddressInfo } from "node:net";
import { hostname, totalmem } from "node:os";
import { VERSION } from "../api/http/version.js";
import { engineBuilds } from "../engine/builds.js";
import { engineFor } from "../engine/create.js";
import type { JobQueues } from "../queue/job-queues.js";
import { WebhookWorker } from "../queue/webhooks.js";
import { QueueWorker } from "../queue/worker.js";
import { type ConnectionRole, connect } from "../store/connect.js";
import { RedisDatasetStore } from "../store/datasets.js";
import { RedisExperimentStore } from "../store/experiments.js";
import { RedisFleet } from "../store/fleet.js";
import { QUEUE_PREFIX } from "../store/keys.js";
import { RedisMetricsReader } from "../store/metrics.js";
import { RedisRunStore } from "../store/runs.js";
import { RedisSearchStore } from "../store/searches.js";
import { RedisShares, SLICE_SECONDS, UNIT_SECONDS } from "../store/shares.js";
import { RedisTail } from "../store/tail.js";
import { RedisWebhookStore } from "../store/webhooks.js";
import type { TrainingEvent } from "../train/events.js";
import { releaseForsaken } from "../train/forsaken.js";
import { admit, MemoryRoom } from "../train/memory-room.js";
import { runExperiment } from "../train/run-experiment.js";
import { runSearch } from "../train/run-search.js";
import { Suspects } from "../train/suspects.js";
import { ThreadPool } from "../train/thread-pool.js";
import { Turns } from "../train/turns.js";
import { unparkRuns } from "../train/unpark.js";
import type { Config } from "./config.js";
import type { Observability } from "./observability.js";
import { once, type Service } from "./start-api.js";
import { unfitStorage } from "./storage.js";
import { startWorkerHttp } from "./worker-http.js";
import { createWorkerMetrics } from "./worker-metrics.js";

/** They do little but wait. */
const PARENTS_AT_ONCE = 50;
/** Between looks at who waits. */
const LOOK_MS = 500;

/** Bytes for runs. */
function memoryOf({ WORKER_MEMORY_MB }: Config): number {
  if (WORKER_MEMORY_MB > 0) return WORKER_MEMORY_MB * 2 ** 20;
  // A container's limit; 0, or more than there is: it has none.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(totalmem(), limit) / 2;
}

export async function startWorker(
  config: Config,
  { log, registry, telemetry }: Observability,
): Promise<Service & { readonly url: string | null }> {
  const name = `${hostname()}:${process.pid}`;
  const open = (role: ConnectionRole) => connect(config.REDIS_URL, role, config.REDIS_REPLICAS);
  const connection = open("patient");
  const [reader, subscriber] = [open("listening"), open("listening")];
  const connections = [connection, reader, subscriber];
  for (const open of connections) open.on("error", (error) => log.debug({ err: error }, "redis"));
  const disconnect = () => {
    for (const open of connections) open.disconnect();
  };
  const problem = await unfitStorage(connection, log);
  if (problem !== null) {
    disconnect();
    throw new Error(problem);
  }

  const threads = new ThreadPool(
    new URL("./training-thread.js", import.meta.url),
    {
      redisUrl: config.REDIS_URL,
      redisReplicas: config.REDIS_REPLICAS,
      logRates: config.LOG_RATES,
      logLevel: config.LOG_LEVEL,
      worker: name,
    },
    config.WORKER_CONCURRENCY,
  );
  const suspects = new Suspects();
  const shares = new RedisShares(connection);
  const turns = new Turns(shares, { sliceSeconds: SLICE_SECONDS, unitSeconds: UNIT_SECONDS });
  const looking = setInterval(() => turns.look().catch((error) => log.debug({ err: error }, "turns")), LOOK_MS);
  const room = new MemoryRoom(memoryOf(config));
  const [runs, searches] = [new RedisRunStore(connection), new RedisSearchStore(connection)];
  const experiments = new RedisExperimentStore(connection);
  const fleet = new RedisFleet(connection);
  const admission = {
    runs,
    fleet,
    datasetsOf: (tenant: string) => new RedisDatasetStore(connection, tenant),
    worker: name,
  };
  const metrics = new RedisMetricsReader(connection);
  const tail = new RedisTail(reader, subscriber);
  await tail.start();
  const stopping = new AbortController();
  const unpark = (jobs: Pick<JobQueues, "enqueue">) => {
    const enqueueFirst = (id: string, epoch: number) => jobs.enqueue(id, epoch, true);
    const waitMs = config.NUMERICS_WAIT_SECONDS * 1000;
    return unparkRuns({ runs, engineFor, enqueueFirst, waitMs }, config.WORKER_CONCURRENCY);
  };
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
    memory: room.bytes,
  };

  const worker = new QueueWorker({
    connection,
    prefix: QUEUE_PREFIX,
    lockDurationMs: config.LOCK_DURATION_MS,
    stalledIntervalMs: config.STALLED_INTERVAL_MS,
    telemetry: telemetry?.queue,
    work: (jobs) => {
      const enqueue = (id: string, epoch: number) => jobs.enqueue(id, epoch);
      const parentDeps = { searches, experiments, runs, metrics, tail, enqueue, worker: name, log };
      return {
        runs: {
          concurrency: config.WORKER_CONCURRENCY,
          attempt: async (id, epoch, place) => {
            const early = await runs.diedEarly(id);
            const leave = await admit(admission, room, id, epoch);
            if (typeof leave === "string") return leave;
            const turn = async (onProgress = () => {}) => {
              await shares.serve(place);
              return turns.during(
                id,
                place,
                () => threads.release(id),
                () => train(id, epoch, onProgress),
              );
            };
            const attempt = (early ? suspects.begin(turn) : turn()).finally(leave);
            // There is room now for one that was put aside.
            const { result, asked } = await attempt.finally(() =>
              unpark(jobs).catch((error) => log.warn({ err: error }, "unpark")),
            );
            return result === "released" && asked ? "yielded" : result;
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
    placesOf: (ids) => shares.places(ids),
    heartbeat: (ttl, lagMs) => fleet.heartbeat(name, config.WORKER_CONCURRENCY, ttl, { ...self, ttl, lagMs }),
    records: runs,
    unpark,
    endForsaken: () => releaseForsaken({ runs, searches }),
    expire: async (ttlSeconds) => {
      for (const store of [runs, searches, experiments]) await store.expire(ttlSeconds);
    },
    ttlSeconds: config.RUN_TTL_SECONDS,
    intervalMs: config.RECONCILE_INTERVAL_MS,
    onMended: (id) => log.warn({ id }, "gave a record without a job a new one"),
    onError: (error, where) => log.warn({ err: error }, where),
  });

  const webhooks = new WebhookWorker({
    events: new RedisWebhookStore(connection),
    connection,
    prefix: QUEUE_PREFIX,
    lockDurationMs: config.LOCK_DURATION_MS,
    stalledIntervalMs: config.STALLED_INTERVAL_MS,
    retryMs: config.WEBHOOK_RETRY_MS,
    privateToo: config.WEBHOOK_PRIVATE === "allowed",
    onError: (error) => log.warn({ err: error }, "webhooks"),
  });

  const http =
    config.WORKER_PORT === undefined
      ? null
      : await startWorkerHttp({ host: config.HOST, port: config.WORKER_PORT }, registry, async () =>
          connection.status === "ready" ? null : "Redis does not answer",
        );
  log.info({ worker: name, slots: config.WORKER_CONCURRENCY }, "worker ready");
  const bound = http?.server.address() as AddressInfo | undefined;
  return {
    url: bound === undefined ? null : `http://${bound.address}:${bound.port}`,
    close: once(async () => {
      await http?.close();
      clearInterval(looking);
      const closed = worker.close(() => {
        threads.abort();
        stopping.abort();
      });
      await Promise.all([closed, webhooks.close()]);
      await threads.close();
      disconnect();
    }),
  };
}
