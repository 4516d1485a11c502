import type { Redis } from "ioredis";
import { BARRIER_CHANNEL } from "./keys.js";

/** How many replicas must have what is acknowledged, by connection. */
const wanted = new WeakMap<Redis, number>();

/** How long a command waits for them; after that it counts as not acknowledged, and is tried again or refused. */
const WAIT_MS = 500;

export function requireReplicas(redis: Redis, replicas: number): void {
  if (replicas > 0) wanted.set(redis, replicas);
}

/**
 * Resolves once as many replicas as are required have all that this connection has written or read so far; rejects with an
 * Error that passes (patience.ts) where they do not in time. Without such a requirement it resolves at once.
 */
export async function replicated(redis: Redis): Promise<void> {
  const replicas = wanted.get(redis);
  if (replicas === undefined) return;
  // WAIT asks for this connection's own last write. A message is one that every replica gets and no disk does; it comes after
  // what has been read here, and after a write that was sent again, on another connection than before.
  const [, got] = await Promise.all([redis.publish(BARRIER_CHANNEL, ""), redis.wait(replicas, WAIT_MS)]);
  if (Number(got) < replicas) throw new Error(`NOREPLICAS ${got} of ${replicas} replicas have it`);
}
