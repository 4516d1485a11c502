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

/** The kind, 9 characters of time and 11 of chance: ids sort by creation. */
export function newId(kind: RecordKind, nowMs: number): string {
  const time = nowMs.toString(36).padStart(9, "0");
  // 56 of a UUID's random bits: Node draws those many at a time.
  const uuid = randomUUID().replaceAll("-", "");
  const chance = BigInt(`0x${uuid.slice(0, 12)}${uuid.slice(-2)}`)
    .toString(36)
    .padStart(11, "0");
  return `${RECORD_KINDS[kind].prefix}${time}${chance}`;
}
