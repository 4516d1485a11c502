import { LIMITS } from "../schemas/limits.js";
import {
  compareKeys,
  type ListFilter,
  type ListSort,
  matches,
  type Row,
  type SortKey,
  sortKey,
} from "../schemas/list-query.js";
import { RECORD_KINDS, type RecordKind } from "../schemas/record-kinds.js";
import { DEFAULT_TENANT } from "../schemas/tenant.js";
import type { AnnealRedis } from "./connect.js";
import type { ListQuery } from "./contract.js";
import { childrenKey, datasetUsersKey, indexKey, labelKey, runKey, statusKey } from "./keys.js";

/** Records looked at in one round trip. */
export const PAGE = 256;

/** How rows of a kind are read: from these fields of the record's hash, `losses` only where losses are asked for. */
export interface RowReader {
  readonly kind: RecordKind;
  readonly fields: readonly string[];
  readonly losses: readonly string[];
  row(fields: Readonly<Record<string, string>>): Row;
}

interface Seen {
  readonly rows: Row[];
  /** False: there are more records than are looked at. */
  readonly complete: boolean;
}

const LOSSES: readonly ListSort[] = ["loss", "trainLoss", "validationLoss"];

/**
 * The ids that a list's page shows. Newest first, a page is read off an index; in any other order, all records of the
 * smallest index that holds what is asked for are looked at, up to LIMITS.listedRecords of them, the newest.
 */
export async function pageOfIds(
  redis: AnnealRedis,
  reader: RowReader,
  tenant: string,
  query: ListQuery,
): Promise<{ readonly ids: string[]; readonly next: string | null }> {
  const { limit, sort = "created", after } = query;
  const stored = query.parent === undefined ? "desc" : "asc";
  const order = query.order ?? (sort === "created" ? stored : "asc");
  const asStored = sort === "created" && order === stored;
  if (asStored) {
    const { rows, last, complete } = await scan(redis, reader, tenant, query, { after, wanted: limit + 1 });
    const ids = rows.slice(0, limit).map(({ id }) => id);
    if (rows.length > limit) return { ids, next: ids.at(-1)! };
    return { ids, next: complete ? null : last };
  }
  const { rows } = await scan(redis, reader, tenant, query, { losses: LOSSES.includes(sort) });
  const start = after === undefined ? null : parseCursor(after);
  const keyed = rows
    .map((row) => [sortKey(row, sort), row.id] as const)
    .filter((each) => start === null || compareKeys(each, start, order) > 0)
    .sort((a, b) => compareKeys(a, b, order));
  const page = keyed.slice(0, limit);
  return { ids: page.map(([, id]) => id), next: keyed.length > limit ? cursorOf(page.at(-1)!) : null };
}

/** Every record that a filter matches, among the LIMITS.listedRecords newest of the smallest index. */
export async function matching(
  redis: AnnealRedis,
  reader: RowReader,
  tenant: string,
  filter: ListFilter,
): Promise<Seen> {
  return scan(redis, reader, tenant, filter, {});
}

interface ScanOptions {
  readonly after?: string | undefined;
  /** It ends with so many matches. */
  readonly wanted?: number;
  readonly losses?: boolean;
}

async function scan(
  redis: AnnealRedis,
  { kind, fields, losses, row }: RowReader,
  tenant: string,
  filter: ListFilter,
  { after, wanted = Number.POSITIVE_INFINITY, losses: sorted = false }: ScanOptions,
): Promise<Seen & { readonly last: string | null }> {
  const withLosses = sorted || filter.minLoss !== undefined || filter.maxLoss !== undefined;
  const read = ["id", "tenant", ...fields, ...(withLosses ? losses : [])];
  const rows: Row[] = [];
  let last = after ?? null;
  for (let looked = 0; looked < LIMITS.listedRecords && rows.length < wanted; ) {
    const count = Math.min(PAGE, LIMITS.listedRecords - looked, wanted);
    const ids = await idsAfter(redis, kind, tenant, filter, last, count);
    const hashes = await Promise.all(ids.map((id) => redis.hmget(runKey(id), ...read)));
    for (const values of hashes) {
      // Deleted meanwhile, or a child of another's.
      if (values[0] == null || (values[1] ?? DEFAULT_TENANT) !== tenant) continue;
      const found = row(Object.fromEntries(read.flatMap((name, i) => (values[i] == null ? [] : [[name, values[i]!]]))));
      if (matches(found, filter)) rows.push(found);
    }
    looked += ids.length;
    last = ids.at(-1) ?? last;
    if (ids.length < count) return { rows, last, complete: true };
  }
  return { rows, last, complete: false };
}

/** The next ids from the smallest index that holds all that is asked for: newest first, of a parent's children oldest. */
function idsAfter(
  redis: AnnealRedis,
  kind: RecordKind,
  tenant: string,
  { status, label, dataset, parent }: ListFilter,
  after: string | null,
  count: number,
): Promise<string[]> {
  const { prefix } = RECORD_KINDS[kind];
  const page = ["LIMIT", 0, count] as const;
  if (parent !== undefined) {
    const start = after === null ? `[${prefix}` : `(${after}`;
    return redis.zrangebylex(childrenKey(parent), start, `(${prefix}~`, ...page);
  }
  let index = indexKey(kind, tenant);
  if (status !== undefined) index = statusKey(status, tenant);
  else if (label !== undefined) index = labelKey(label, tenant);
  else if (dataset !== undefined) index = datasetUsersKey(dataset, tenant);
  return redis.zrevrangebylex(index, after === null ? `(${prefix}~` : `(${after}`, `[${prefix}`, ...page);
}

/** A place in a sorted list that holds though the record there is deleted. */
const cursorOf = ([key, id]: readonly [SortKey, string]): string => `${id}~${encodeURIComponent(JSON.stringify(key))}`;

/** null: it is none of ours; the list then begins anew. */
function parseCursor(text: string): [SortKey, string] | null {
  const [id = "", key = "null"] = text.split("~", 2);
  try {
    return [JSON.parse(decodeURIComponent(key)) as SortKey, id];
  } catch {
    return null;
  }
}
