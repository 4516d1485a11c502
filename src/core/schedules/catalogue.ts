import { isChildKey, SCHEDULE_LIBRARIES, type ScheduleLibrary, type ScheduleType } from "../../schemas/schedule.js";
import { RATE_MARK } from "../../schemas/schedules/fields.js";
import { definitionOf } from "./definitions.js";
import type { RunDefault } from "./run-defaults.js";

export interface CatalogueParameter {
  readonly name: string;
  /** E.g. "integer", "number", "boolean", "cos | linear", "array", "schedule", "expression | table". */
  readonly type: string;
  /** The fixed default, or the words that tell how it follows from the run; null: it must be given, or may stay absent. */
  readonly default: unknown;
  /** Whether the default is a rule over lrRange, steps or other parameters. */
  readonly derived: boolean;
  readonly required: boolean;
  /** Whether "auto" is allowed: the rate is then found by a search. */
  readonly auto: boolean;
  readonly description: string | null;
}

export interface CatalogueEntry {
  readonly type: ScheduleType;
  readonly library: ScheduleLibrary;
  readonly description: string;
  readonly parameters: CatalogueParameter[];
  /** What lrRange sets, in words; null: nothing. */
  readonly lrRange: string | null;
}

interface Property {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
}
interface Described {
  readonly description: string;
  readonly properties: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
}

/** Every schedule type with its parameters, drawn from the schemas and the table of run-dependent defaults. */
export function scheduleCatalogue(): CatalogueEntry[] {
  return Object.entries(SCHEDULE_LIBRARIES).flatMap(([library, schemas]) =>
    Object.entries(schemas as unknown as Readonly<Record<string, Described>>).map(([type, schema]) =>
      entry(type as ScheduleType, library as ScheduleLibrary, schema),
    ),
  );
}

function entry(type: ScheduleType, library: ScheduleLibrary, schema: Described): CatalogueEntry {
  const derived: Readonly<Record<string, RunDefault>> = definitionOf(type).defaults;
  const parameters = Object.entries(schema.properties)
    .filter(([name]) => name !== "type")
    .map(([name, property]) => ({
      name,
      type: typeName(name, property),
      default: derived[name]?.says ?? property.default ?? null,
      derived: name in derived,
      required: (schema.required ?? []).includes(name) && !(name in derived) && property.default === undefined,
      auto: RATE_MARK in property,
      description: property.description ?? null,
    }));
  const meanings = Object.entries(derived).filter(([, { says }]) => says.includes("lrRange"));
  const lrRange = meanings.map(([name, { says }]) => `${name}: ${says}`).join("; ");
  return { type, library, description: schema.description, parameters, lrRange: lrRange === "" ? null : lrRange };
}

function typeName(name: string, property: Property): string {
  if (isChildKey(name)) return property.type === "array" ? "array of schedules" : "schedule";
  if (property.enum !== undefined) return property.enum.join(" | ");
  return property.type ?? "expression | table";
}
