import { type Command, Option } from "commander";
import { formsOf, isSchedule, itemForms, SCHEDULE_FORMS, type Schema, typeOf, wordsOf } from "./forms.js";

/** A field of a request: its flag is its path, with dots. */
export interface Flag {
  readonly path: readonly string[];
  /** The alternatives that its value may be. */
  readonly forms: readonly Schema[];
  readonly description: string;
}

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
    const holdsOther = own.some(isSchedule);
    const forms = holdsOther && schedules ? own.flatMap((form) => (isSchedule(form) ? SCHEDULE_FORMS : [form])) : own;
    const described = schemas.find(({ description }) => description !== undefined) ?? own[0];
    const flag = { path, forms, description: String(described?.description ?? "") };
    return [flag, ...flagsOfFields(forms, path, schedules && !holdsOther)];
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
  // Flags stand in an order in which a field comes before the fields in it.
  for (const flag of flags) {
    if (options[nameOf(flag)] === undefined) continue;
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
