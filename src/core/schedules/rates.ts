import { isChildKey, SCHEDULE_SCHEMAS, type ScheduleSpec, type ScheduleType } from "../../schemas/schedule.js";
import { RATE_MARK } from "../../schemas/schedules/fields.js";

/** The parameter that is a type's base or peak rate; null for the combinators that have none. */
export function rateParameter(type: ScheduleType): string | null {
  const properties: Readonly<Record<string, object>> = SCHEDULE_SCHEMAS[type].properties;
  return Object.keys(properties).find((name) => RATE_MARK in properties[name]!) ?? null;
}

/** A resolved schedule's base or peak rate; null for the combinators that have none. */
export function baseRate(spec: ScheduleSpec): number | null {
  const name = rateParameter(spec.type);
  return name === null ? null : (spec as unknown as Readonly<Record<string, number>>)[name]!;
}

/** The schedules directly inside a request or spec, each with its JSON pointer. */
export function children(spec: object): { pointer: string; child: unknown }[] {
  return Object.entries(spec).flatMap(([name, value]) => {
    if (!isChildKey(name)) return [];
    if (!Array.isArray(value)) return [{ pointer: `/${name}`, child: value }];
    return value.map((child: unknown, i) => ({ pointer: `/${name}/${i}`, child }));
  });
}
