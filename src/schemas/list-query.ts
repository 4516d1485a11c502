import { RUN_STATUSES, type RunStatus } from "./status.js";

/** What a list can be sorted by; null values come last, equal ones newest first. */
export const LIST_SORTS = [
  "created",
  "name",
  "status",
  "schedule",
  "steps",
  "stepsPerSecond",
  "loss",
  "trainLoss",
  "validationLoss",
] as const;
export type ListSort = (typeof LIST_SORTS)[number];
export const LIST_ORDERS = ["asc", "desc"] as const;
export type ListOrder = (typeof LIST_ORDERS)[number];

/** What is asked of the records in a list; all of it must hold. */
export interface ListFilter {
  readonly status?: RunStatus | undefined;
  readonly label?: string | undefined;
  /** By name. */
  readonly dataset?: string | undefined;
  /** The children of this record, which no other list shows. */
  readonly parent?: string | undefined;
  /** Part of the name, in whatever case. */
  readonly name?: string | undefined;
  /** Type of the schedule; of a search or experiment, of one of them. */
  readonly schedule?: string | undefined;
  /** Words, each of which is found in name, schedule, optimizer, labels or (6 letters at least) id; dataset:x means a dataset. */
  readonly q?: string | undefined;
  /** Bounds of the validation loss, nats; what has none is left out. */
  readonly minLoss?: number | undefined;
  readonly maxLoss?: number | undefined;
}

/** What a list knows of each record that it looks at. */
export interface Row {
  readonly id: string;
  readonly status: RunStatus;
  readonly parent: string | null;
  readonly name: string | null;
  readonly labels: readonly string[];
  readonly dataset: string;
  /** Types, the record's own first. */
  readonly schedules: readonly string[];
  readonly optimizer: string;
  readonly steps: number;
  readonly stepsPerSecond: number | null;
  /** Smoothed, of its last step; of what is over, the train loss; nats. */
  readonly loss: number | null;
  readonly trainLoss: number | null;
  readonly validationLoss: number | null;
}

export function matches(row: Row, filter: ListFilter): boolean {
  const { status, label, dataset, parent, name, schedule, q, minLoss, maxLoss } = filter;
  const { validationLoss: loss } = row;
  return (
    row.parent === (parent ?? null) &&
    (status ?? row.status) === row.status &&
    (dataset ?? row.dataset) === row.dataset &&
    (label === undefined || row.labels.includes(label)) &&
    (schedule === undefined || row.schedules.includes(schedule)) &&
    (name === undefined || (row.name ?? "").toLowerCase().includes(name.toLowerCase())) &&
    (minLoss === undefined || (loss !== null && loss >= minLoss)) &&
    (maxLoss === undefined || (loss !== null && loss <= maxLoss)) &&
    (q === undefined || hasWords(row, q))
  );
}

/** So much of an id at least, or every short word would be found in some. */
const ID_PART = 6;

function hasWords({ id, name, schedules, optimizer, labels, dataset }: Row, q: string): boolean {
  const text = [name ?? "", ...schedules, optimizer, ...labels].join(" ").toLowerCase();
  const words = q.toLowerCase().split(/\s+/);
  return words.every(
    (word) => text.includes(word) || (word.length >= ID_PART && id.includes(word)) || word === `dataset:${dataset}`,
  );
}

/** null: it has none. */
export type SortKey = string | number | null;

export function sortKey(row: Row, sort: ListSort): SortKey {
  if (sort === "created") return row.id.slice(row.id.indexOf("_") + 1);
  if (sort === "name") return row.name?.toLowerCase() ?? null;
  if (sort === "status") return RUN_STATUSES.indexOf(row.status);
  if (sort === "schedule") return row.schedules[0] ?? null;
  return row[sort];
}

/** The order of two records by their keys and ids. */
export function compareKeys(
  [a, idA]: readonly [SortKey, string],
  [b, idB]: readonly [SortKey, string],
  order: ListOrder,
): number {
  if (a !== b) {
    if (a === null) return 1;
    if (b === null) return -1;
    return (a < b ? -1 : 1) * (order === "asc" ? 1 : -1);
  }
  return idA === idB ? 0 : idA > idB ? -1 : 1;
}
