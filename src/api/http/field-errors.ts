import type { ErrorObject } from "ajv";
import { rateParameter } from "../../core/schedules/rates.js";
import type { FieldError } from "../../schemas/problem.js";
import { SCHEDULE_SCHEMAS, type ScheduleType } from "../../schemas/schedule.js";
import { isWebhookSecret } from "../../schemas/webhook.js";
import { nearest } from "./nearest.js";
import { unknownField } from "./unknown-field.js";

const MOST_ERRORS = 100;
/** Of a longer list some are named, and where to find all. */
const LONG_LIST = 20;

/** Ajv's errors as (pointer, expected), one a field; the parts of a choice are joined by "or". */
export function fieldErrors(all: readonly ErrorObject[]): FieldError[] {
  const found: FieldError[] = [];
  const fields = new Map<string, { expected: Set<string>; hints: string[]; data: unknown }>();
  for (const error of all.slice(0, MOST_ERRORS)) {
    if (error.keyword === "additionalProperties") {
      found.push(ofUnknown(error));
      continue;
    }
    const described = describe(error);
    if (described === null) continue;
    const { pointer, expected, hint } = described;
    const field = fields.get(pointer) ?? { expected: new Set(), hints: [], data: error.data };
    field.expected.add(expected);
    if (hint !== undefined) field.hints.push(hint);
    fields.set(pointer, field);
  }
  for (const [pointer, { expected, hints, data }] of fields) {
    const text = [...withoutEchoes(expected)].join(" or ");
    const isMissing = text.startsWith(REQUIRED) || hints.length > 0;
    found.push({ pointer, expected: text, message: hints[0] ?? `expected ${text}${isMissing ? "" : not(data)}` });
  }
  return found;
}

const REQUIRED = "a value; it is required";

/** Of a choice, its one text is said; of what is missing, what it may be. */
function withoutEchoes(expected: Set<string>): Set<string> {
  if ([...expected].some((text) => text.startsWith('"'))) expected.delete("a string");
  if (expected.size > 1) expected.delete(REQUIRED);
  return expected;
}

/** What was given, where that is short. */
function not(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.length === 0 ? ", not an empty list" : "";
  if (typeof value === "object" && value !== null) return "";
  const text = JSON.stringify(value);
  if (isWebhookSecret(value)) return "";
  return text.length > 40 ? "" : `, not ${text}`;
}

const inside = (instancePath: string, name: string) =>
  `${instancePath}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;

function ofUnknown({ instancePath, params, parentSchema, data }: ErrorObject): FieldError {
  const name: string = params.additionalProperty;
  const properties = (parentSchema?.properties ?? {}) as Readonly<Record<string, { readonly const?: string }>>;
  const pointer = inside(instancePath, name);
  // A schedule's rate has its library's name.
  const type = properties.type?.const ?? "";
  const rate = name === "lr" && Object.hasOwn(SCHEDULE_SCHEMAS, type) ? rateParameter(type as ScheduleType) : null;
  if (rate !== null) {
    return { pointer, expected: rate, message: `unknown field; the rate of ${type} is its \`${rate}\`` };
  }
  return unknownField({ parent: instancePath, name, pointer, known: Object.keys(properties), data });
}

/** `hint`: to be said in place of "expected ...". */
type Described = Omit<FieldError, "message"> & { readonly hint?: string };

function describe({ keyword, instancePath, params, message, parentSchema, data }: ErrorObject): Described | null {
  const here = (expected: string): Described => ({ pointer: instancePath, expected });
  switch (keyword) {
    case "if":
    case "anyOf":
      return null;
    case "required":
      return { pointer: inside(instancePath, params.missingProperty), expected: REQUIRED };
    case "discriminator":
      return ofChoice(inside(instancePath, params.tag), params.tagValue, typesOf(parentSchema, params.tag));
    case "type":
      return here(article([params.type].flat().join(" or ")));
    case "enum":
      return ofChoice(instancePath, data, params.allowedValues);
    case "const":
      // Of a rate that may be "auto": it was text, so the branch for text was taken.
      return here(params.allowedValue === "auto" ? 'a number, or "auto"' : JSON.stringify(params.allowedValue));
    case "minimum":
      return here(`at least ${params.limit}`);
    case "maximum":
      return here(`at most ${params.limit}`);
    case "exclusiveMinimum":
      return here(`more than ${params.limit}`);
    case "exclusiveMaximum":
      return here(`less than ${params.limit}`);
    case "minItems":
      return here(`at least ${items(params.limit)}`);
    case "maxItems":
      return here(`at most ${items(params.limit)}`);
    case "uniqueItems": {
      const [i, j] = [Math.min(params.i, params.j), Math.max(params.i, params.j)];
      return { ...here("items that differ"), hint: `expected items that differ: ${i} and ${j} are equal` };
    }
    case "minProperties": {
      const known = Object.keys(parentSchema?.properties ?? {}).join(", ");
      return here(`at least one ${known === "" ? "entry" : `of ${known}`}`);
    }
    case "format":
      return here("a time such as 2030-01-31T12:00:00Z");
    case "pattern":
      return here(inWords(parentSchema?.description) ?? `text that matches ${params.pattern}`);
    default:
      return here(
        (message ?? keyword).replace(/^must (be |have |NOT have )?/, (m) => (m.includes("NOT") ? "not " : "")),
      );
  }
}

/** What a schema says of its pattern. */
const inWords = (description: string | undefined) =>
  description === undefined ? undefined : description.charAt(0).toLowerCase() + description.slice(1);

/** Of a value that must be one of some: the one that was meant, else all, or where all are listed. */
function ofChoice(pointer: string, given: unknown, allowed: readonly unknown[]): Described {
  const names = allowed.filter((value) => typeof value === "string");
  const few = names.length <= LONG_LIST;
  const expected = few
    ? `one of ${allowed.map((value) => JSON.stringify(value)).join(", ")}`
    : `a type that GET /v1/schedules lists: ${names.slice(0, 6).join(", ")} and ${names.length - 6} more`;
  if (given === undefined) return { pointer, expected, hint: `it is required; expected ${expected}` };
  const meant = typeof given === "string" ? nearest(given, names, true) : null;
  if (meant === null) return few ? { pointer, expected } : { pointer, expected, hint: `expected ${expected}` };
  const hint = `there is no ${JSON.stringify(given)}; did you mean \`${meant}\`?${few ? "" : " GET /v1/schedules lists all"}`;
  return { pointer, expected: few ? expected : JSON.stringify(meant), hint };
}

const items = (count: number) => `${count} ${count === 1 ? "item" : "items"}`;

function typesOf(schema: ErrorObject["parentSchema"], tag: string): unknown[] {
  return (schema?.oneOf ?? []).map((choice: ErrorObject["params"]) => choice.properties?.[tag]?.const);
}

function article(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}
