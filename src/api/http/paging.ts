import { type Static, Type } from "typebox";
import { DatasetNameSchema } from "../../schemas/dataset.js";
import { LIMITS } from "../../schemas/limits.js";
import { LIST_ORDERS, LIST_SORTS } from "../../schemas/list-query.js";
import { idPattern, idSchema, type RecordKind } from "../../schemas/record-kinds.js";
import { SCHEDULE_SCHEMAS } from "../../schemas/schedule.js";
import { RunStatusSchema } from "../../schemas/status.js";
import { named } from "../../schemas/strict.js";

const Text = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.filterLength, description }));
const Loss = (description: string) => Type.Optional(Type.Number({ description }));

/** What may be asked of the records of a list; all of it must hold. */
export const filterFields = {
  status: Type.Optional(RunStatusSchema),
  label: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.labelLength })),
  dataset: Type.Optional(DatasetNameSchema),
  name: Text("Part of the name, in whatever case"),
  schedule: Type.Optional(
    Type.Enum(Object.keys(SCHEDULE_SCHEMAS), { ...named("ScheduleType"), description: "The schedule's type" }),
  ),
  q: Text("Words, each found in name, schedule, optimizer, labels or (6 letters at least) id; `dataset:x`: a dataset"),
  minLoss: Loss("Validation loss at least, nats"),
  maxLoss: Loss("Validation loss at most, nats"),
};

/** Of runs also by what they belong to. */
export const runFilterFields = {
  ...filterFields,
  parent: Type.Optional({
    ...idSchema("search", "experiment"),
    description: "The runs that a search or experiment has made, by id; other lists leave them out",
  }),
};

const filterSchema = Type.Object(runFilterFields);
export type RunFilter = Static<typeof filterSchema>;

/** What a list of records may be asked, newest first. */
export const listFields = (kind: RecordKind) => ({
  ...filterFields,
  sort: Type.Optional(
    Type.Enum([...LIST_SORTS], {
      description: `Default: created. Otherwise the ${LIMITS.listedRecords} newest are looked at; those without the value come last`,
    }),
  ),
  order: Type.Optional(Type.Enum([...LIST_ORDERS], { description: "Default: created desc, others asc" })),
  after: Type.Optional(
    Type.String({
      pattern: idPattern(kind).replace(/\$$/, "(~.*)?$"),
      maxLength: 8 * LIMITS.nameLength,
      description: "`next` of the page before",
    }),
  ),
  limit: Type.Integer({ minimum: 1, maximum: LIMITS.pageSize, default: 20 }),
});

/** For a page's schema. */
export const NextSchema = Type.Union([Type.String(), Type.Null()], {
  description: "`after` of the next page; null: none",
});
