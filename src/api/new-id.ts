import { randomBytes } from "node:crypto";

/** Prefix, 9 characters of time and 11 of chance: ids sort by creation. */
export function newId(prefix: "run" | "search", nowMs: number): string {
  const time = nowMs.toString(36).padStart(9, "0");
  const chance = BigInt(`0x${randomBytes(8).toString("hex")}`)
    .toString(36)
    .padStart(11, "0")
    .slice(-11);
  return `${prefix}_${time}${chance}`;
}
