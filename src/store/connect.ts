import { Redis, type RedisOptions } from "ioredis";
import { SCRIPTS } from "./scripts.js";

type Reply<T> = Promise<T>;
type Value = string | number | Buffer;

/** A connection that knows our scripts; see src/store/lua for arguments and replies. */
export interface AnnealRedis extends Redis {
  annealCreate(keys: number, ...args: Value[]): Reply<string>;
  annealClaim(id: string, token: string, crashLimit: number, epoch: number): Reply<[string, string?]>;
  annealCommit(...args: Value[]): Reply<CommitReply>;
  annealAttend(id: string, fence: string): Reply<CommitReply>;
  annealAdvance(id: string, fence: string, done: number, state: string, progress: string): Reply<string>;
  annealSettle(id: string, spec: string, note: string): Reply<string | null>;
  annealDisappoint(id: string, status: string, reason: string): Reply<"ok">;
  annealFinish(id: string, fence: string, status: string, reason: string, result: string): Reply<string>;
  annealRelease(id: string, fence: string): Reply<string>;
  annealNote(id: string, fence: string, field: string, value: string): Reply<"ok" | "stale">;
  annealCancel(id: string): Reply<string | null>;
  annealPause(id: string): Reply<"ok" | "gone" | "conflict">;
  annealResume(id: string): Reply<["enqueue" | "ok" | "gone" | "conflict", string?]>;
  annealRequeue(id: string, epoch: string): Reply<string | null>;
  annealDelete(keys: number, ...args: string[]): Reply<"deleted" | "gone" | "conflict">;
  annealPutDataset(...args: Value[]): Reply<"created" | "same" | "replaced" | "used" | "full">;
  annealDeleteDataset(name: string): Reply<"deleted" | "gone" | "used">;
}

export type CommitReply = "continue" | "paused" | "canceled" | "stale" | "gap";

/**
 * How a connection behaves while Redis is away.
 * "patient", for workers: commands wait, without limit, until it is back.
 * "listening", for streams: as patient, but it asks nothing that takes long, and hears sooner that its socket is dead.
 * "prompt", for the API: commands fail at once, or after a second without an answer, and are not sent later as ghosts.
 * "bulk", for what may be large: as prompt, but an answer may take its time; nothing else waits behind it.
 */
export type Temper = "patient" | "listening" | "prompt" | "bulk";

export const COMMAND_TIMEOUT_MS = 1000;
const BULK_TIMEOUT_MS = 10_000;
/** A socket without an answer for this long is taken for dead; longer than BullMQ's blocking reads of 5 s. */
const PATIENT_SOCKET_MS = 8000;
const LISTENING_SOCKET_MS = 3000;

export function redisOptions(temper: Temper): RedisOptions {
  const common: RedisOptions = { retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 1000) };
  if (temper === "patient") return { ...common, maxRetriesPerRequest: null, socketTimeout: PATIENT_SOCKET_MS };
  if (temper === "listening") return { ...common, maxRetriesPerRequest: null, socketTimeout: LISTENING_SOCKET_MS };
  const timeout = temper === "prompt" ? COMMAND_TIMEOUT_MS : BULK_TIMEOUT_MS;
  return {
    ...common,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: timeout,
    socketTimeout: timeout,
  };
}

export function connect(url: string, temper: Temper): AnnealRedis {
  return new Redis(url, { ...redisOptions(temper), replyMapping: "legacy", scripts: SCRIPTS }) as AnnealRedis;
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
