import type { Redis, RedisOptions } from "ioredis";
import { openRedis } from "./address.js";
import { isDemoted } from "./patience.js";
import { requireReplicas } from "./replication.js";
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
  const isPatient = role === "patient" || role === "listening";
  const common: RedisOptions = {
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 1000),
    // The server is no primary any more: its successor is found by connecting anew. 2: the command is sent again there.
    reconnectOnError: (error) => (isDemoted(error) ? (isPatient ? 2 : 1) : false),
  };
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

/** `replicas`: how many must have a change before it counts as made, and a log's entry before it is read. */
export function connect(url: string, role: ConnectionRole, replicas = 0): AnnealRedis {
  const redis = openRedis(url, { ...redisOptions(role), scripts: SCRIPTS });
  requireReplicas(redis, replicas);
  return redis;
}

/** Resolves once commands of a connection can be sent. */
export async function isReady(redis: Redis): Promise<void> {
  if (redis.status !== "ready") await new Promise<void>((resolve) => redis.once("ready", () => resolve()));
}
