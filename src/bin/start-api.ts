import type { FastifyInstance } from "fastify";
import { buildApp } from "../api/app.js";
import { RunQueue } from "../queue/run-queue.js";
import type { QueueName } from "../schemas/record-kinds.js";
import { RedisApiKeyStore } from "../store/api-keys.js";
import { RedisArchiveStore } from "../store/archives.js";
import { RedisAuditStore } from "../store/audit.js";
import { type ConnectionRole, connect, isReady } from "../store/connect.js";
import { RedisDatasetStore } from "../store/datasets.js";
import { RedisExperimentStore } from "../store/experiments.js";
import { storageProblem } from "../store/fitness.js";
import { RedisFleet } from "../store/fleet.js";
import { QUEUE_PREFIX, RATE_PREFIX, WORKERS_KEY } from "../store/keys.js";
import { RedisMetricsReader } from "../store/metrics.js";
import { RedisOnceStore } from "../store/once.js";
import { RedisQuotaStore } from "../store/quotas.js";
import { RedisRunStore } from "../store/runs.js";
import { RedisSearchStore } from "../store/searches.js";
import { RedisShares } from "../store/shares.js";
import { RedisTail } from "../store/tail.js";
import { RedisWebhookStore } from "../store/webhooks.js";
import type { Config } from "./config.js";
import type { Observability } from "./observability.js";
import { unfitStorage } from "./storage.js";

export interface Service {
  /** Ends it by its designed path. Idempotent. */
  close(): Promise<void>;
}

export async function startApi(
  config: Config,
  { log, registry, telemetry }: Observability,
): Promise<Service & { readonly app: FastifyInstance; readonly url: string }> {
  const exposed = openProblem(config);
  if (exposed !== null) throw new Error(exposed);
  const open = (role: ConnectionRole) => connect(config.REDIS_URL, role, config.REDIS_REPLICAS);
  const prompt = open("prompt");
  const bulk = open("bulk");
  const reader = open("listening");
  const subscriber = open("listening");
  const connections = [prompt, bulk, reader, subscriber];
  for (const connection of connections) connection.on("error", (error) => log.debug({ err: error }, "redis"));
  const disconnect = () => {
    for (const connection of connections) connection.disconnect();
  };
  // First of all: a queue writes as soon as it is made.
  const problem = await unfitStorage(reader, log);
  if (problem !== null) {
    disconnect();
    throw new Error(problem);
  }

  const shares = new RedisShares(prompt);
  const placesOf = (ids: readonly string[]) => shares.places(ids);
  const queueOf = (name: QueueName) => new RunQueue(prompt, QUEUE_PREFIX, name, telemetry?.queue, placesOf);
  const [queue, searchQueue, experimentQueue] = [queueOf("runs"), queueOf("searches"), queueOf("experiments")];
  const tail = new RedisTail(reader, subscriber);
  const readiness = async () => {
    try {
      const storage = await storageProblem(prompt);
      if (storage !== null) return storage;
      return (await prompt.exists(WORKERS_KEY)) === 1 ? null : "no worker has been seen lately";
    } catch {
      return "Redis does not answer";
    }
  };
  const deps = {
    storesOf: (tenant: string) => ({
      runs: new RedisRunStore(prompt, tenant),
      models: new RedisRunStore(bulk, tenant),
      archives: new RedisArchiveStore(bulk, tenant),
      searches: new RedisSearchStore(prompt, tenant),
      experiments: new RedisExperimentStore(prompt, tenant),
      once: new RedisOnceStore(prompt, tenant),
      webhooks: new RedisWebhookStore(prompt, tenant),
      datasets: new RedisDatasetStore(prompt, tenant),
    }),
    allRuns: new RedisRunStore(prompt),
    metrics: new RedisMetricsReader(bulk),
    queue,
    searchQueue,
    experimentQueue,
    audit: new RedisAuditStore(prompt),
    apiKeys: new RedisApiKeyStore(prompt),
    access: { keys: config.KEYS === "on", hosts: hostsOf(config) },
    fleet: new RedisFleet(prompt),
    quotas: new RedisQuotaStore(prompt),
    tail,
    readiness,
    corsOrigins: config.CORS_ORIGINS.split(",").filter((origin) => origin !== ""),
    registry,
    tracing: telemetry?.fastify,
    accessLog: config.ACCESS_LOG,
    rateLimit:
      config.RATE_LIMIT === 0 ? undefined : { perMinute: config.RATE_LIMIT, redis: prompt, namespace: RATE_PREFIX },
  };
  const app = await buildApp(deps, log);
  app.server.maxConnections = config.MAX_CONNECTIONS;
  const close = once(async () => {
    await app.close();
    for (const producer of [queue, searchQueue, experimentQueue]) await producer.close().catch(() => {});
    disconnect();
  });
  try {
    await app.ready();
    await tail.start();
    // To make the app ready may take longer than the second after which a prompt one that is not heard connects anew.
    await Promise.all(connections.map(isReady));
    const url = await app.listen({ host: config.HOST, port: config.PORT });
    return { app, url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whoever reaches an API without keys may do everything: so nobody else's machine does, unless somebody says so. */
function openProblem({ HOST, KEYS, ALLOW_OPEN }: Config): string | null {
  const own = HOST === "localhost" || HOST === "::1" || HOST.startsWith("127.");
  if (own || KEYS === "on" || ALLOW_OPEN === "yes") return null;
  return `HOST is ${HOST}, which other machines reach, and KEYS is off: set KEYS=on, or ALLOW_OPEN=yes where something else guards it`;
}

function hostsOf({ HOST, ALLOWED_HOSTS }: Config): string[] {
  return [HOST, ...ALLOWED_HOSTS.split(",")].map((name) => name.trim().toLowerCase()).filter((name) => name !== "");
}

export function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= action();
    return done;
  };
}
