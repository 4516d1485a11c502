import { SCHEDULE_SCHEMAS, ScheduleRequestDefinition } from "../schemas/schedule.js";
import { DOCUMENT_MARK } from "../schemas/strict.js";

/** A JSON Schema, as far as flags and tools are made of it. */
export type Schema = Readonly<Record<string, unknown>>;

/** What a schema may be, choices and references resolved; what only bounds is left out. */
export function formsOf(schema: unknown): Schema[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { if: condition, then: chosen, else: other, ...rest } = schema as Schema;
  if (typeof rest.$ref === "string") return rest.$ref.startsWith("ScheduleRequest") ? [SCHEDULE] : [];
  if (DOCUMENT_MARK in rest) return formsOf(rest[DOCUMENT_MARK]);
  if (condition !== undefined) return [chosen === true ? condition : chosen, other].flatMap(formsOf);
  const choices = (rest.anyOf ?? rest.oneOf) as unknown[] | undefined;
  return choices?.flatMap(formsOf) ?? [rest];
}

/** Any schedule, by name or as an object: what is in it, schedules among it, is in SCHEDULE_FORMS. */
const SCHEDULE: Schema = { enum: Object.keys(SCHEDULE_SCHEMAS) };
export const isSchedule = (form: Schema): boolean => form === SCHEDULE;
export const SCHEDULE_FORMS = formsOf(ScheduleRequestDefinition);

export function typeOf({ type, enum: values, const: only }: Schema): string {
  if (typeof type === "string") return type;
  return typeof (only ?? (values as unknown[] | undefined)?.[0]);
}

/** The texts that a value may be: for completion. */
export function wordsOf(forms: readonly Schema[]): string[] {
  const words = forms.flatMap(({ enum: values, const: only }) => (values as unknown[] | undefined) ?? [only]);
  return [...new Set(words.filter((word) => typeof word === "string"))] as string[];
}

export function itemForms({ items }: Schema): Schema[] {
  return (Array.isArray(items) ? items : [items]).flatMap(formsOf);
}
