import { type Command, Option } from "commander";
import { SCHEDULE_SCHEMAS, ScheduleRequestDefinition } from "../schemas/schedule.js";
import { DOCUMENT_MARK } from "../schemas/strict.js";

/** A JSON Schema, as far as flags are made of it. */
export type Schema = Readonly<Record<string, unknown>>;

/** A field of a request: its flag is its path, with dots. */
export interface Flag {
  readonly path: readonly string[];
  /** The alternatives that its value may be. */
  readonly forms: readonly Schema[];
  readonly description: string;
}

/** What a schema may be, choices and references resolved; what only bounds is left out. */
function formsOf(schema: unknown): Schema[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { if: condition, then: chosen, else: other, ...rest } = schema as Schema;
  if (typeof rest.$ref === "string") return rest.$ref.startsWith("ScheduleRequest") ? [SCHEDULE] : [];
  if (DOCUMENT_MARK in rest) return formsOf(rest[DOCUMENT_MARK]);
  if (condition !== undefined) return [chosen === true ? condition : chosen, other].flatMap(formsOf);
  const choices = (rest.anyOf ?? rest.oneOf) as unknown[] | undefined;
  return choices?.flatMap(formsOf) ?? [rest];
}

/** A schedule inside another is given by name or as JSON: it has no flags of its own. */
const SCHEDULE: Schema = { enum: Object.keys(SCHEDULE_SCHEMAS), "x-schedule": true };
const INNER_FORMS = formsOf(ScheduleRequestDefinition);

/** The flags of an object's fields and of the fields in them. `prefix`: where it lies itself. */
export function flagsOf(schema: object, prefix: readonly string[] = []): Flag[] {
  return flagsOfFields([schema as Schema], prefix, true);
}

function flagsOfFields(objects: readonly Schema[], prefix: readonly string[], schedules: boolean): Flag[] {
  const fields = new Map<string, Schema[]>();
  for (const { properties = {} } of objects as readonly { properties?: Record<string, Schema> }[])
    for (const [name, field] of Object.entries(properties)) fields.set(name, [...(fields.get(name) ?? []), field]);
  return [...fields].flatMap(([name, schemas]) => {
    const path = [...prefix, name];
    const own = schemas.flatMap(formsOf);
    const isSchedule = own.some((form) => "x-schedule" in form);
    const forms = isSchedule && schedules ? own.flatMap((form) => ("x-schedule" in form ? INNER_FORMS : [form])) : own;
    const described = schemas.find(({ description }) => description !== undefined) ?? own[0];
    const flag = { path, forms, description: String(described?.description ?? "") };
    return [flag, ...flagsOfFields(forms, path, schedules && !isSchedule)];
  });
}

/** The same fields as lists of values: of a grid. */
export function gridFlags(flags: readonly Flag[], prefix: string): Flag[] {
  return flags.map(({ path, forms, description }) => ({
    path: [prefix, path.join(".")],
    forms: [{ type: "array", items: { anyOf: forms } }],
    description,
  }));
}

const nameOf = ({ path }: Flag): string => path.join(".");
const itemsOf = ({ forms }: Flag): Schema | null =>
  (forms.find(({ type }) => type === "array") ?? null) as Schema | null;
const isOnly = (forms: readonly Schema[], type: string) => forms.every((form) => typeOf(form) === type);

function typeOf({ type, enum: values, const: only }: Schema): string {
  if (typeof type === "string") return type;
  return typeof (only ?? (values as unknown[] | undefined)?.[0]);
}

/** The texts that a value may be: for completion. */
function wordsOf(forms: readonly Schema[]): string[] {
  const words = forms.flatMap(({ enum: values, const: only }) => (values as unknown[] | undefined) ?? [only]);
  return [...new Set(words.filter((word) => typeof word === "string"))] as string[];
}

const MOST_SHOWN = 8;

/** In help or refusals: what a value looks like. */
function placeholder(flag: Flag): string {
  const list = itemsOf(flag);
  const forms = list === null ? flag.forms : itemForms(list);
  const words = wordsOf(forms);
  const kinds = [...new Set(forms.filter(({ enum: e, const: c }) => e === undefined && c === undefined).map(typeOf))];
  const shown = words.length > MOST_SHOWN ? ["name"] : words;
  const text = [...shown, ...kinds.map((kind) => (kind === "object" ? "json" : kind))].join("|") || "value";
  if (list !== null) return `<${text}...>`;
  return kinds.includes("boolean") ? `[${text}]` : `<${text}>`;
}

function itemForms({ items }: Schema): Schema[] {
  return (Array.isArray(items) ? items : [items]).flatMap(formsOf);
}

/** Gives a command a flag for each field. Those of schedules are many: they are named in help by a line, and completed all. */
export function addFlags(command: Command, flags: readonly Flag[], completing: boolean): Command {
  for (const flag of flags) {
    const option = new Option(`--${nameOf(flag)} ${placeholder(flag)}`, flag.description);
    const list = itemsOf(flag);
    const words = wordsOf(list === null ? flag.forms : itemForms(list));
    // Not `choices`: what is wrong is said by the service, which also says what was meant.
    if (completing && words.length > 0) option.argChoices = words;
    command.addOption(option.hideHelp(!completing && isDeep(flag)));
  }
  const inside = [...new Set(flags.filter(isDeep).map(({ path }) => path[0]))];
  return inside.length === 0 ? command : command.addHelpText("after", helpOf(inside as string[]));
}

const helpOf = (fields: readonly string[]) =>
  `\n${fields.map((field) => `--${field}.<field>`).join(", ")} set${fields.length === 1 ? "s" : ""} any field inside, such as --${fields[0]}.${EXAMPLES[fields[0]!] ?? "steps 1000"}`;
const EXAMPLES: Readonly<Record<string, string>> = {
  schedule: "minLr 0.001",
  base: "schedule.minLr 0.001",
  grid: "schedule cosine linear",
};

const isDeep = ({ path }: Flag) => path.some((name, i) => i < path.length - 1 && /^(schedules?|grid|base)$/.test(name));

/** A text as the value that a field wants; where it is none of them it stays text, and the service says what is wrong. */
function readValue(forms: readonly Schema[], text: string): unknown {
  if (forms.length > 0 && isOnly(forms, "string")) return text;
  try {
    return JSON.parse(text);
  } catch {
    // Such as .5, which JSON does not know.
    return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  }
}

/** The request that flags make, over one from a file: a flag replaces what the file says there. */
export function requestOf(
  flags: readonly Flag[],
  options: Readonly<Record<string, unknown>>,
  base: object = {},
): object {
  const request = structuredClone(base) as Record<string, unknown>;
  // A field before the fields in it.
  const given = flags.filter((flag) => options[nameOf(flag)] !== undefined);
  for (const flag of given.sort((a, b) => a.path.length - b.path.length)) {
    put(request, flag.path, parsed(flag, options[nameOf(flag)] as string | string[] | true));
  }
  return request;
}

function parsed(flag: Flag, value: string | string[] | true): unknown {
  if (value === true) return true;
  if (!Array.isArray(value)) return readValue(flag.forms, value);
  const forms = itemForms(itemsOf(flag)!);
  const [only] = value;
  // A whole list as JSON.
  if (value.length === 1 && only!.startsWith("[")) return readValue([], only!);
  const values = value.map((text) => readValue(forms, text));
  return flag.forms.some((form) => typeOf(form) !== "array") && values.length === 1 ? values[0] : values;
}

function put(object: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    object[name!] = value;
    return;
  }
  const there = object[name!];
  // A type's name alone is an object of that type.
  const inner = typeof there === "string" ? { type: there } : typeof there === "object" && there !== null ? there : {};
  object[name!] = inner;
  put(inner as Record<string, unknown>, rest, value);
}
