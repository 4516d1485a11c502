import { randomUUID } from "node:crypto";

/** Prefix, 9 characters of time and 11 of chance: ids sort by creation. */
export function newId(prefix: "run" | "search", nowMs: number): string {
  const time = nowMs.toString(36).padStart(9, "0");
  // 56 of a UUID's random bits: Node draws those many at a time.
  const uuid = randomUUID().replaceAll("-", "");
  const chance = BigInt(`0x${uuid.slice(0, 12)}${uuid.slice(-2)}`)
    .toString(36)
    .padStart(11, "0");
  return `${prefix}_${time}${chance}`;
}
