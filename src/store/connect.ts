import { Redis, type RedisOptions } from "ioredis";
import { SCRIPTS } from "./scripts.js";

/** A connection that knows our scripts: made by `connect`. */
export type AnnealRedis = Redis;

/**
 * How a connection behaves while Redis is away.
 * "patient", for workers: commands wait, without limit, until it is back.
 * "listening", for streams: as patient, but it asks nothing that takes long, and hears sooner that its socket is dead.
 * "prompt", for the API: commands fail at once, or after a second without an answer, and are not sent later as ghosts.
 * "bulk", for what may be large: as prompt, but an answer may take its time; nothing else waits behind it.
 */
export type ConnectionRole = "patient" | "listening" | "prompt" | "bulk";

export const COMMAND_TIMEOUT_MS = 1000;
const BULK_TIMEOUT_MS = 10_000;
/** A socket without an answer for this long is taken for dead; longer than BullMQ's blocking reads of 5 s. */
const PATIENT_SOCKET_MS = 8000;
const LISTENING_SOCKET_MS = 3000;

export function redisOptions(role: ConnectionRole): RedisOptions {
  const common: RedisOptions = { retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 1000) };
  if (role === "patient") return { ...common, maxRetriesPerRequest: null, socketTimeout: PATIENT_SOCKET_MS };
  if (role === "listening") return { ...common, maxRetriesPerRequest: null, socketTimeout: LISTENING_SOCKET_MS };
  const timeout = role === "prompt" ? COMMAND_TIMEOUT_MS : BULK_TIMEOUT_MS;
  return {
    ...common,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: timeout,
    socketTimeout: timeout,
  };
}

export function connect(url: string, role: ConnectionRole): AnnealRedis {
  return new Redis(url, { ...redisOptions(role), replyMapping: "legacy", scripts: SCRIPTS });
}

/** Why there is no Redis at that URL, or null; waits at most five seconds. */
export async function redisProblem(url: string): Promise<string | null> {
  const probe = new Redis(url, {
    replyMapping: "legacy",
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 5000,
  });
  let why = "no answer";
  probe.on("error", (error) => {
    why = error.message;
  });
  try {
    await probe.connect();
    return null;
  } catch {
    const { host } = new URL(url);
    return `no Redis answers at ${host} (${why}); start it, or set REDIS_URL`;
  } finally {
    probe.disconnect();
  }
}

/** Why this server must not hold runs, or null. An evicting or forgetful Redis loses jobs and metrics without a trace. */
export async function storageProblem(redis: Redis): Promise<string | null> {
  const [, policy] = (await redis.config("GET", "maxmemory-policy")) as [string, string];
  if (policy !== "noeviction") return `Redis has maxmemory-policy ${policy}; set it to noeviction`;
  const [, appendOnly] = (await redis.config("GET", "appendonly")) as [string, string];
  if (appendOnly !== "yes") return "Redis has appendonly no; set it to yes, with appendfsync always";
  const [, fsync] = (await redis.config("GET", "appendfsync")) as [string, string];
  if (fsync !== "always") return `Redis has appendfsync ${fsync}; set it to always, or acknowledged runs can be lost`;
  return null;
}
