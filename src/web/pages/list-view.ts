import { LIST_ORDERS, LIST_SORTS, type ListFilter, type ListOrder, type ListSort } from "../../schemas/list-query.js";
import { RUN_STATUSES, type RunStatus } from "../../schemas/run.js";
import type { View } from "../data/live-list.js";

/** The columns that can be hidden, and what a list is sorted by at a click on their heads; null: by nothing. */
export const COLUMNS = [
  { key: "status", head: "Status", sort: "status" },
  { key: "schedule", head: "Schedule, lr", sort: "schedule" },
  { key: "curves", head: "Loss, lr", sort: null },
  { key: "steps", head: "Progress", sort: "steps" },
  { key: "speed", head: "Steps/s", sort: "stepsPerSecond" },
  { key: "train", head: "Train loss", sort: "loss" },
  { key: "validation", head: "Val. loss", sort: "validationLoss" },
  { key: "created", head: "Created", sort: "created" },
] as const satisfies readonly { key: string; head: string; sort: ListSort | null }[];
export type ColumnKey = (typeof COLUMNS)[number]["key"];

/** What a list shows, as its address has it. */
export interface ListView extends View {
  readonly hidden: ReadonlySet<ColumnKey>;
}

const FIELDS = ["q", "status", "schedule", "label", "maxLoss", "parent"] as const;
const oneOf = <T extends string>(known: readonly T[], value: string | null, byDefault: T): T =>
  known.find((name) => name === value) ?? byDefault;

export function viewOf(query: URLSearchParams): ListView {
  const text = (name: string) => query.get(name) || undefined;
  const maxLoss = Number(text("maxLoss") ?? Number.NaN);
  const parent = text("parent");
  const filter: ListFilter = {
    q: text("q"),
    status: RUN_STATUSES.find((name) => name === query.get("status")) as RunStatus | undefined,
    schedule: text("schedule"),
    label: text("label"),
    maxLoss: Number.isFinite(maxLoss) ? maxLoss : undefined,
    parent,
  };
  const sort = oneOf(LIST_SORTS, query.get("sort"), "created");
  const hidden = (query.get("hide") ?? "").split(",") as ColumnKey[];
  return {
    filter,
    sort,
    order: oneOf(LIST_ORDERS, query.get("order"), usualOrder(sort)),
    hidden: new Set(COLUMNS.map(({ key }) => key).filter((key) => hidden.includes(key))),
  };
}

/** The order at the first click on a head. */
export const usualOrder = (sort: ListSort): ListOrder => (sort === "created" || sort === "steps" ? "desc" : "asc");

/** The parts of the address that say so; null: as by default. */
export function addressOf({ filter, sort, order, hidden }: ListView): Record<string, string | null> {
  const fields = FIELDS.map((name) => [name, filter[name] === undefined ? null : String(filter[name])] as const);
  return {
    ...Object.fromEntries(fields),
    sort: sort === "created" ? null : sort,
    order: order === usualOrder(sort) ? null : order,
    hide: hidden.size === 0 ? null : [...hidden].join(","),
  };
}
