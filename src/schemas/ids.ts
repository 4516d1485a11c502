import { Type } from "typebox";

/** What has an id, a status and a log. */
export const RECORD_KINDS = ["run", "search"] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** An id begins with the kind of what it names; src/api/ids.ts makes them. */
export const idPattern = (...kinds: readonly RecordKind[]) =>
  `^${kinds.length === 1 ? kinds[0] : `(${kinds.join("|")})`}_[0-9a-z]{20}$`;
export const idSchema = (...kinds: readonly RecordKind[]) => Type.String({ pattern: idPattern(...kinds) });

/** The kind of what an id names; undefined: it is no id of ours. */
export function kindOf(id: string): RecordKind | undefined {
  return RECORD_KINDS.find((kind) => id.startsWith(`${kind}_`));
}
