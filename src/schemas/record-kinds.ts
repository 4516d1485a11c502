import { Type } from "typebox";

/** The kinds of record: how their ids begin, the index of all of a kind, and the queue that their jobs wait in. */
export const RECORD_KINDS = {
  run: { prefix: "run_", index: "runs", queue: "runs" },
  // These have queues of their own: they wait for runs, and must not take a run's place while they do.
  search: { prefix: "search_", index: "searches", queue: "searches" },
  experiment: { prefix: "exp_", index: "experiments", queue: "experiments" },
} as const;

export type RecordKind = keyof typeof RECORD_KINDS;
export type QueueName = (typeof RECORD_KINDS)[RecordKind]["queue"];

const KINDS = Object.keys(RECORD_KINDS) as RecordKind[];
export const QUEUE_NAMES: readonly QueueName[] = KINDS.map((kind) => RECORD_KINDS[kind].queue);

/** null: no id of ours begins so. */
export function kindOf(id: string): RecordKind | null {
  return KINDS.find((kind) => id.startsWith(RECORD_KINDS[kind].prefix)) ?? null;
}

/** The pattern of whole ids of these kinds; src/api/ids.ts makes them. */
export function idPattern(...kinds: readonly [RecordKind, ...RecordKind[]]): string {
  const prefixes = kinds.map((kind) => RECORD_KINDS[kind].prefix);
  return `^${prefixes.length === 1 ? prefixes[0] : `(${prefixes.join("|")})`}[0-9a-z]{20}$`;
}

export const idSchema = (...kinds: readonly [RecordKind, ...RecordKind[]]) =>
  Type.String({ pattern: idPattern(...kinds) });
