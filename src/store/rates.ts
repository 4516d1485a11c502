import { crc32 } from "node:zlib";
import { buildSchedule } from "../core/schedules/build.js";
import type { RunSpec } from "../schemas/run.js";
import type { AnnealRedis } from "./connect.js";
import { runKey } from "./keys.js";
import { parseRunSpec } from "./stored.js";

/** The rates of `count` steps from `from` on, where no loss decides them. */
export type Rates = (from: number, count: number) => Float64Array;

/** Runs whose schedules are kept, built: what is read is mostly read again. */
const MOST_KEPT = 256;
const kept = new Map<string, Rates>();

/** Those of a run whose schedule does not look at the loss. */
export function ratesOf({ schedule, from: fork }: RunSpec): Rates {
  const rate = buildSchedule(schedule);
  const origin = fork?.scheduleFrom ?? 0;
  return (from, count) => Float64Array.from({ length: count }, (_, i) => rate(from - origin + i));
}

/** Those of a run that has begun: its spec does not change any more. Null: the run is gone. */
export async function ratesOfStored(redis: AnnealRedis, id: string): Promise<Rates | null> {
  const found = kept.get(id);
  if (found !== undefined) return found;
  const spec = await redis.hget(runKey(id), "spec");
  if (spec === null) return null;
  const rates = ratesOf(parseRunSpec(spec));
  if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value!);
  kept.set(id, rates);
  return rates;
}

/** By which a reader knows that it derives the very rates that a chunk was trained at. */
export function checksumOf({ buffer, byteOffset, byteLength }: Float64Array): number {
  return crc32(new Uint8Array(buffer, byteOffset, byteLength));
}
