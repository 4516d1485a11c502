import { type Static, type TObject, type TSchema, Type } from "typebox";
import { byType, nameOrObject, requestSchema } from "./choice.js";
import { LIMITS } from "./limits.js";
import { RATE_MARK, SCHEDULE_LIMITS } from "./schedules/fields.js";
import { HUGGING_FACE_SCHEMAS } from "./schedules/hugging-face.js";
import { NATIVE_SCHEMAS } from "./schedules/native.js";
import { OPTAX_SCHEMAS } from "./schedules/optax.js";
import { TORCH_SCHEMAS } from "./schedules/torch.js";
import { documentedAs, named } from "./strict.js";

export const LearningRateSchema = Type.Number({ minimum: 0, maximum: LIMITS.lr });

/** The libraries whose terms a schedule can be given in, and their types. */
export const SCHEDULE_LIBRARIES = {
  native: NATIVE_SCHEMAS,
  pytorch: TORCH_SCHEMAS,
  "hugging-face": HUGGING_FACE_SCHEMAS,
  optax: OPTAX_SCHEMAS,
} as const;
export type ScheduleLibrary = keyof typeof SCHEDULE_LIBRARIES;

/**
 * Every schedule type in its resolved form: all parameters present but those that are alternatives to each other. A
 * request may leave out any parameter but `type`; core/schedules/resolve.ts fills in what is missing from the default
 * here, from `lrRange`, or from the run's `steps`.
 */
export const SCHEDULE_SCHEMAS = {
  ...NATIVE_SCHEMAS,
  ...TORCH_SCHEMAS,
  ...HUGGING_FACE_SCHEMAS,
  ...OPTAX_SCHEMAS,
} as const;

export type { NestedSchedule } from "./schedules/fields.js";
export type ScheduleType = keyof typeof SCHEDULE_SCHEMAS;
export type ScheduleOf<T extends ScheduleType> = Static<(typeof SCHEDULE_SCHEMAS)[T]>;
export type ScheduleSpec = { [T in ScheduleType]: ScheduleOf<T> }[ScheduleType];
export type NativeType = keyof typeof NATIVE_SCHEMAS;
export type NativeSpec = { [T in NativeType]: ScheduleOf<T> }[NativeType];

/** What a request may say: a type's name, or an object with some of its parameters. */
export type ScheduleRequestObject = { type: ScheduleType } & Readonly<Record<string, unknown>>;
export type ScheduleRequest = ScheduleType | ScheduleRequestObject;

const CHILD_KEYS = ["schedule", "schedules", "schedulers"] as const;
/** The parameters that hold other schedules. */
export const isChildKey = (name: string): boolean => (CHILD_KEYS as readonly string[]).includes(name);

const REQUEST_REF = { $ref: "ScheduleRequest#" };

/** One parameter as a request may give it: "auto" for a base or peak rate, requests for nested schedules. */
function requested(name: string, schema: TSchema): TSchema {
  if (isChildKey(name)) {
    const { description, items } = schema as { description?: string; items?: object };
    const about = description === undefined ? {} : { description };
    return (items === undefined ? { ...REQUEST_REF, ...about } : { ...schema, items: REQUEST_REF }) as TSchema;
  }
  if (!(RATE_MARK in schema)) return schema;
  const { description, ...number } = schema as TSchema & { description?: string };
  return {
    ...named("RateOrAuto"),
    if: { type: "string" },
    // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword
    then: { const: "auto", description: "Found by a search (within a given lrRange) before the run" },
    else: number,
    description,
  } as unknown as TSchema;
}

const requestSchemas = Object.fromEntries(
  Object.entries(SCHEDULE_SCHEMAS).map(([type, schema]) => {
    const { properties, ...options } = schema as TObject;
    const parameters = Object.entries(properties).map(([name, property]) => [name, requested(name, property)]);
    return [type, requestSchema({ ...options, properties: Object.fromEntries(parameters) } as TObject)];
  }),
);

/** Refuses nesting deeper than `levels` without recursing into it, so that no body can exhaust a validator's stack. */
function atMost(levels: number): object {
  const inner = levels === 1 ? false : atMost(levels - 1);
  const lists = { items: inner };
  return { properties: { schedule: inner, schedules: lists, schedulers: lists } };
}

/** To be added to every validator under its $id, as is ScheduleSpecDefinition; nested schedules refer to them. */
export const ScheduleRequestDefinition = {
  $id: "ScheduleRequest",
  ...nameOrObject(requestSchemas, { type: "ScheduleType", object: "ScheduleRequestObject" }),
  description: "A schedule type's name, or an object with `type` and any of its parameters; see GET /v1/schedules",
};
export const ScheduleSpecDefinition = { $id: "ScheduleSpec", ...byType(Object.values(SCHEDULE_SCHEMAS)) };

const shallow = atMost(SCHEDULE_LIMITS.depth);
export const ScheduleRequestSchema = Type.Unsafe<ScheduleRequest>({
  ...documentedAs({ $ref: "ScheduleRequest" }),
  if: shallow,
  // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword
  then: REQUEST_REF,
  else: shallow,
});
export const ScheduleSpecSchema = Type.Unsafe<ScheduleSpec>({ $ref: "ScheduleSpec#" });
