import type { Redis } from "ioredis";

/** Is this server one that may hold runs? */
export interface Fitness {
  /** Why not, in one line; null: nothing speaks against it. */
  readonly problem: string | null;
  /** What it does not let us see, and what it must be. */
  readonly unchecked: readonly string[];
}

/** An evicting or forgetful Redis loses jobs and metrics without a trace, and a replica or a cluster takes no writes of ours. */
export async function checkStorage(redis: Redis): Promise<Fitness> {
  const info = String(await redis.call("INFO", "server", "replication", "memory", "persistence"));
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const unfit = (problem: string): Fitness => ({ problem, unchecked: [] });
  if ((fact("redis_mode") ?? fact("server_mode")) === "cluster") {
    return unfit(
      "Redis is a cluster; Anneal needs a single primary, with replicas and Sentinel where you like (docs/redis.md)",
    );
  }
  if (fact("role") !== "master") return unfit("Redis is a replica; REDIS_URL must lead to the primary (docs/redis.md)");
  const policy = fact("maxmemory_policy");
  if (policy !== "noeviction") return unfit(`Redis has maxmemory-policy ${policy}; set it to noeviction`);
  if (fact("aof_enabled") !== "1") return unfit("Redis has appendonly no; set it to yes, with appendfsync always");
  // Many services neither let nor want it be asked.
  const answer = (await redis.config("GET", "appendfsync").catch((error: Error) => {
    if (error.name !== "ReplyError") throw error;
    return null;
  })) as [string, string] | null;
  const fsync = answer?.[1];
  if (fsync === undefined) return { problem: null, unchecked: ["appendfsync is always"] };
  if (fsync !== "always") {
    return unfit(`Redis has appendfsync ${fsync}; set it to always, or acknowledged runs can be lost`);
  }
  return { problem: null, unchecked: [] };
}

export const storageProblem = async (redis: Redis): Promise<string | null> => (await checkStorage(redis)).problem;
