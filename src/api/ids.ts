import { randomUUID } from "node:crypto";
import { Type } from "typebox";
import { idPattern, idSchema, RECORD_KINDS, type RecordKind } from "../schemas/record-kinds.js";

/** Path parameters of a resource with ids of newId(kind). */
export const idParams = (kind: RecordKind) => Type.Object({ id: idSchema(kind) });

const RUN_ID = new RegExp(idPattern("run"));
export const isRunId = (text: string): boolean => RUN_ID.test(text);

/** The id of another kind's record that goes with `id`'s: the same one each time. */
export function idOf(kind: RecordKind, id: string): string {
  return RECORD_KINDS[kind].prefix + id.slice(id.lastIndexOf("_") + 1);
}

/** `first` and so many ids that follow from it, less one, in the order in which they sort. */
export function idsFrom(first: string, count: number): string[] {
  const chance = [...first.slice(-CHANCE_LENGTH)].reduce(
    (sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)),
    0n,
  );
  const start = first.slice(0, -CHANCE_LENGTH);
  return Array.from({ length: count }, (_, i) => start + textOf(chance + BigInt(i)));
}

const CHANCE_LENGTH = 11;
/** 56 bits leave room to count on. */
const textOf = (chance: bigint) => chance.toString(36).padStart(CHANCE_LENGTH, "0");

/** The kind, 9 characters of time and 11 of chance: ids sort by creation. */
export function newId(kind: RecordKind, nowMs: number): string {
  const time = nowMs.toString(36).padStart(9, "0");
  // 56 of a UUID's random bits: Node draws those many at a time.
  const uuid = randomUUID().replaceAll("-", "");
  return RECORD_KINDS[kind].prefix + time + textOf(BigInt(`0x${uuid.slice(0, 12)}${uuid.slice(-2)}`));
}
