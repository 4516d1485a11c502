import { Type } from "typebox";
import { DatasetNameSchema } from "../../schemas/dataset.js";
import { LIMITS } from "../../schemas/limits.js";
import { idSchema, type RecordKind } from "../../schemas/record-kinds.js";
import { RunStatusSchema } from "../../schemas/status.js";

const filters = {
  status: Type.Optional(RunStatusSchema),
  label: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.labelLength })),
  dataset: Type.Optional(DatasetNameSchema),
};

/** What a list of records may be asked, newest first. */
export const listFields = (kind: RecordKind) => ({
  ...filters,
  after: Type.Optional(idSchema(kind)),
  limit: Type.Integer({ minimum: 1, maximum: LIMITS.pageSize, default: 20 }),
});

/** For a page's schema. */
export const NextSchema = Type.Union([Type.String(), Type.Null()], { description: "`after` of the next page" });

interface Store<Query, Record> {
  list(query: Query): Promise<Record[]>;
}

/** The records that a query asks for, and the `after` of those that follow; null: there are none. */
export async function pageOf<Query extends { readonly limit: number }, R extends { readonly id: string }>(
  store: Store<Query, R>,
  query: Query,
): Promise<{ records: R[]; next: string | null }> {
  const found = await store.list({ ...query, limit: query.limit + 1 });
  const records = found.slice(0, query.limit);
  return { records, next: found.length > query.limit ? records.at(-1)!.id : null };
}
