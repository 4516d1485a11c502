import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Config } from "../src/bin/config.js";
import { observe } from "../src/bin/observability.js";
import { type Service, startApi } from "../src/bin/start-api.js";
import { startWorker } from "../src/bin/start-worker.js";
import { kindOf, RECORD_KINDS } from "../src/schemas/record-kinds.js";
import type { Run, RunRequest } from "../src/schemas/run.js";
import type { StreamMessage } from "../src/schemas/stream.js";
import { startRedis, type TestRedis } from "./redis.js";

export interface TestService {
  readonly redis: TestRedis;
  readonly url: string;
  /** Of the worker, where it has WORKER_PORT. */
  readonly workerUrl: string | null;
  post(body: unknown, path?: string): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  createRun(request: RunRequest): Promise<Run>;
  /** Waits, on its stream, until the run is over. */
  finished(id: string): Promise<Run>;
  stop(): Promise<void>;
}

/** A busy machine's Redis may not answer within its second: nothing was done then, and 503 says to ask again. */
const PATIENCE_MS = 120_000;

export async function answered(ask: () => Promise<Response>): Promise<Response> {
  for (const end = Date.now() + PATIENCE_MS; ; await delay(200)) {
    const response = await ask();
    if (response.status !== 503 || Date.now() > end) return response;
  }
}

export function testConfig(redisUrl: string): Config {
  return {
    HOST: "127.0.0.1",
    PORT: 0,
    CORS_ORIGINS: "",
    REDIS_URL: redisUrl,
    REDIS_REPLICAS: 0,
    REDIS_PREFIX: "anneal",
    LOG_RATES: "stored",
    RATE_LIMIT: 0,
    MAX_CONNECTIONS: 10_000,
    WORKER_CONCURRENCY: 2,
    WORKER_MEMORY_MB: 0,
    LOG_LEVEL: "silent",
    ACCESS_LOG: false,
    LOCK_DURATION_MS: 1000,
    STALLED_INTERVAL_MS: 500,
    RUN_TTL_SECONDS: 0,
    RECONCILE_INTERVAL_MS: 500,
    NUMERICS_WAIT_SECONDS: 60,
    WEBHOOK_PRIVATE: "refused",
    WEBHOOK_RETRY_MS: 50,
    KEYS: "off",
    ALLOW_OPEN: "no",
    ALLOWED_HOSTS: "",
  };
}

/** The whole service in this process, on a Redis of its own: real queue, real training, real sockets. */
export async function startService({ worker = true, settings = {} as Partial<Config> } = {}): Promise<TestService> {
  const redis = await startRedis();
  const config = { ...testConfig(redis.url), ...settings };
  const observability = await observe(config);
  const services: Service[] = [];
  const stop = async () => {
    for (const service of services) await service.close();
    await redis.stop();
  };
  const start = async () => {
    const api = await startApi(config, observability);
    services.push(api);
    const started = worker ? await startWorker(config, observability) : null;
    if (started !== null) services.push(started);
    return { url: api.url, workerUrl: started?.url ?? null };
  };
  const { url, workerUrl } = await start().catch(async (error) => {
    await stop();
    throw error;
  });
  const get: TestService["get"] = (path, headers = {}) => answered(() => fetch(url + path, { headers }));
  const post: TestService["post"] = (body, path = "/v1/runs") => {
    const headers = { "content-type": "application/json" };
    return answered(() => fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) }));
  };
  return {
    redis,
    url,
    workerUrl,
    get,
    post,
    createRun: async (request) => {
      const response = await post(request);
      if (response.status !== 202) throw new Error(await response.text());
      return (await response.json()) as Run;
    },
    finished: async (id) => {
      await readStream(url, id);
      return (await (await get(`/v1/runs/${id}`)).json()) as Run;
    },
    stop,
  };
}

let shared: Promise<TestService> | undefined;
let users = 0;

/**
 * The one service of this process, for tests that neither harm it nor count what is in it; src/bin/test.mjs runs the files
 * that ask for it in one process. It stops with the last of its users.
 */
export async function sharedService(): Promise<TestService> {
  users++;
  shared ??= startService();
  const service = await shared;
  return { ...service, stop: async () => void (--users === 0 && (await service.stop())) };
}

/** All messages of a record's WebSocket from a step on, until the server closes it; with the close code. */
export async function readStream(
  url: string,
  id: string,
  from = 0,
): Promise<{ messages: StreamMessage[]; code: number }> {
  const path = RECORD_KINDS[kindOf(id)!].index;
  const address = `${url.replace("http", "ws")}/v1/${path}/${id}/stream?from=${from}`;
  for (const end = Date.now() + PATIENCE_MS; ; await delay(200)) {
    const read = await readSocket(address);
    if (read !== "refused") return read;
    if (Date.now() > end) throw new Error(`503 from ${address}`);
  }
}

/** "refused": by a 503. */
function readSocket(address: string): Promise<{ messages: StreamMessage[]; code: number } | "refused"> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address);
    const messages: StreamMessage[] = [];
    socket.on("message", (data) => messages.push(JSON.parse(String(data))));
    socket.on("close", (code) => resolve({ messages, code }));
    socket.on("error", (error) => (/: 503$/.test(error.message) ? resolve("refused") : reject(error)));
  });
}

export interface Columns {
  readonly lr: number[];
  readonly loss: (number | null)[];
}

/** Losses as the float32 values that their short decimals stand for. */
const asFloat32 = (loss: readonly (number | null)[]): (number | null)[] =>
  loss.map((value) => (value === null ? null : Math.fround(value)));

/** All of a run's metrics, from the REST export. */
export async function exportOf(service: TestService, id: string): Promise<Columns> {
  const { lr, loss } = (await (await service.get(`/v1/runs/${id}/metrics`)).json()) as Columns;
  return { lr, loss: asFloat32(loss) };
}

/** The columns that a stream's metrics messages make up; throws where a step is missing, doubled or out of order. */
export function columnsOf(messages: readonly StreamMessage[], from = 0): Columns {
  const columns: Columns = { lr: [], loss: [] };
  for (const message of messages) {
    if (message.type !== "metrics") continue;
    const next = from + columns.lr.length;
    if (message.from !== next) throw new Error(`expected step ${next}, got ${message.from}`);
    columns.lr.push(...message.lr);
    columns.loss.push(...asFloat32(message.loss));
  }
  return columns;
}
