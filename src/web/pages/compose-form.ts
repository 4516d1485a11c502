import { DEFAULT_LR_RANGE } from "../../core/resolve.js";
import { ModelSpecSchema } from "../../schemas/model.js";
import { OPTIMIZERS, type OptimizerType } from "../../schemas/optimizers.js";
import { ENGINE_NAMES, type RunRequest } from "../../schemas/run.js";
import { SCHEDULE_SCHEMAS, type ScheduleType } from "../../schemas/schedule.js";
import { SEARCH_LR_RANGE } from "../../schemas/search.js";

/** What stands in the form, by the JSON pointer of the field without its first slash; "" where left to the default. */
export type Form = Readonly<Record<string, string>>;

/** What a form field needs to know of a JSON schema. */
export interface FieldSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A search chooses schedule and rate, or with this for a rate, the rate. */
export const AUTO = "auto";
/** Of a fork: the other run's schedule goes on. */
export const CONTINUED = "continued";
export const isFork = (form: Form): boolean => form["from/run"] !== undefined;
/** Model, data and optimizer of a fork are those of the run that it goes on from. */
const OF_PARENT: readonly (keyof RunRequest)[] = [
  "model",
  "dataset",
  "datasetLimit",
  "optimizer",
  "replicas",
  "engine",
];

export const DEFAULTS: Form = { steps: "10000", schedule: "constant", optimizer: "sgd", engine: "auto" };

export const PRESETS: readonly { readonly name: string; readonly form: Form }[] = [
  {
    name: "Textbook: 0.1, then 0.01",
    form: { ...DEFAULTS, steps: "20000", schedule: "step", low: "0.01", high: "0.1", evalEvery: "1000" },
  },
  {
    name: "Sweep: lr range test",
    form: { ...DEFAULTS, steps: "1000", schedule: "sweep", low: "0.001", high: "1" },
  },
  {
    name: "Cosine",
    form: { ...DEFAULTS, steps: "20000", schedule: "cosine", low: "0.001", high: "0.2", evalEvery: "1000" },
  },
  {
    name: "One cycle",
    form: { ...DEFAULTS, steps: "20000", schedule: "one-cycle", low: "0.001", high: "0.3", evalEvery: "1000" },
  },
];

const properties = (schema: object): Record<string, FieldSchema> =>
  (schema as { properties: Record<string, FieldSchema> }).properties;

function parameters(schema: object): [string, FieldSchema][] {
  return Object.entries(properties(schema)).filter(([name]) => name !== "type");
}

export const scheduleParameters = (type: string): [string, FieldSchema][] =>
  type === CONTINUED || type === AUTO ? [] : parameters(SCHEDULE_SCHEMAS[type as ScheduleType]);
export const optimizerParameters = (type: string): [string, FieldSchema][] =>
  parameters(OPTIMIZERS[type as OptimizerType].schema);
export const modelParameters = (): [string, FieldSchema][] => parameters(ModelSpecSchema);
export const ENGINES: readonly string[] = ENGINE_NAMES;

/** Numbers as numbers, lists and nested objects as JSON, anything else as the text it is: the API says what is wrong. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What is wrong with the schedule's lists and nested parts as they are typed, by field: the text is no JSON of that kind. */
export function unreadable(form: Form): Record<string, string> {
  const errors = scheduleParameters(form.schedule ?? "constant").flatMap(([name, { type }]) => {
    const text = (form[`schedule/${name}`] ?? "").trim();
    const value = parsed(text);
    if (text === "" || typeof value === "object") return [];
    if (type === "array")
      return [[`schedule/${name}`, 'Expected a list as JSON, such as [500] or ["constant", "cosine"]']];
    return /^[[{]/.test(text) ? [[`schedule/${name}`, "Expected JSON: a bracket or a quote is missing"]] : [];
  });
  return Object.fromEntries(errors);
}

function given(form: Form, prefix: string, fields: readonly [string, FieldSchema][]): Record<string, unknown> {
  const entries = fields.flatMap(([name]) => {
    const text = (form[`${prefix}/${name}`] ?? "").trim();
    return text === "" ? [] : [[name, parsed(text)]];
  });
  return Object.fromEntries(entries);
}

/** A type's name alone where it has no parameters. */
function choice(type: string, fields: Record<string, unknown>): unknown {
  return Object.keys(fields).length === 0 ? type : { type, ...fields };
}

/** Whether a search is to find the schedule or its rate. */
export const isAuto = (form: Form): boolean =>
  form.schedule === AUTO ||
  Object.entries(form).some(([name, value]) => /^schedule\//.test(name) && /\bauto\b/.test(value));

/** Whether a range of rates says anything: a constant rate is its `lr` alone. */
export const usesRange = (form: Form): boolean =>
  form.schedule !== CONTINUED && (form.schedule !== "constant" || isAuto(form));

/** Where the rates of a form lie if it does not say. */
export const usualRange = (form: Form): readonly [number, number] =>
  isAuto(form) ? SEARCH_LR_RANGE : DEFAULT_LR_RANGE;

/** `lrRange`, where one end at least is given. */
export function rangeOf(form: Form, [low, high]: readonly [number, number]): object {
  const [from = "", to = ""] = [form.low?.trim(), form.high?.trim()];
  if (from === "" && to === "") return {};
  return { lrRange: [parsed(from || String(low)), parsed(to || String(high))] };
}

/** The fields that runs and searches have in common. */
export function sharedRequest(form: Form): object {
  const text = (name: string) => (form[name] ?? "").trim();
  const optional = (name: string) => (text(name) === "" ? {} : { [name]: parsed(text(name)) });
  const words = (name: string) => (text(name) === "" ? {} : { [name]: text(name) });
  const optimizer = form.optimizer ?? "sgd";
  const model = given(form, "model", modelParameters());
  const labels = text("labels")
    .split(",")
    .map((label) => label.trim())
    .filter((label) => label !== "");
  return {
    ...optional("batchSize"),
    ...words("dataset"),
    ...optional("datasetLimit"),
    ...(Object.keys(model).length === 0 ? {} : { model }),
    optimizer: choice(optimizer, given(form, "optimizer", optimizerParameters(optimizer))),
    ...optional("seed"),
    ...(form.engine === undefined || form.engine === "auto" ? {} : { engine: form.engine }),
    ...words("name"),
    ...(labels.length === 0 ? {} : { labels }),
  };
}

/** The request that a form stands for; nothing in it that was left to a default. */
export function toRequest(form: Form): RunRequest {
  const text = (name: string) => (form[name] ?? "").trim();
  const optional = (name: string) => (text(name) === "" ? {} : { [name]: parsed(text(name)) });
  const schedule = form.schedule ?? "constant";
  const request = {
    steps: parsed(text("steps")),
    schedule: choice(schedule, given(form, "schedule", scheduleParameters(schedule))),
    ...(usesRange(form) ? rangeOf(form, usualRange(form)) : {}),
    ...sharedRequest(form),
    ...optional("replicas"),
    ...optional("evalEvery"),
    ...(form.stopOnDivergence === "true" ? { stopOnDivergence: true } : {}),
    ...optional("checkpointEvery"),
  } as unknown as RunRequest;
  if (!isFork(form)) return request;
  for (const name of OF_PARENT) delete request[name];
  if (schedule === CONTINUED) for (const name of ["schedule", "lrRange"] as const) delete request[name];
  const step = text("from/step");
  return { ...request, from: { run: text("from/run"), ...(step === "" ? {} : { step: Number(step) }) } };
}

export const show = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** The form that stands for a request, as a link carries it; what it cannot show is left out. */
export function toForm(request: Record<string, unknown>): Form {
  const form: Record<string, string> = { ...DEFAULTS };
  const { schedule, optimizer, model, lrRange, labels, stopOnDivergence, from, ...rest } = request;
  for (const [name, value] of Object.entries(rest)) form[name] = show(value);
  for (const [name, value] of Object.entries({ schedule, optimizer })) {
    if (typeof value === "string") form[name] = value;
    else if (typeof value === "object" && value !== null) {
      const { type, ...fields } = value as { type: string };
      form[name] = type;
      for (const [field, inner] of Object.entries(fields)) form[`${name}/${field}`] = show(inner);
    }
  }
  for (const [field, value] of Object.entries(model ?? {})) form[`model/${field}`] = show(value);
  if (Array.isArray(lrRange)) [form.low, form.high] = lrRange.map(show) as [string, string];
  if (Array.isArray(labels)) form.labels = labels.join(", ");
  if (stopOnDivergence) form.stopOnDivergence = "true";
  for (const [field, value] of Object.entries(from ?? {})) form[`from/${field}`] = show(value);
  if (isFork(form) && schedule === undefined) form.schedule = CONTINUED;
  else if (form.schedule !== AUTO && !Object.hasOwn(SCHEDULE_SCHEMAS, form.schedule!))
    form.schedule = DEFAULTS.schedule!;
  if (!Object.hasOwn(OPTIMIZERS, form.optimizer!)) form.optimizer = DEFAULTS.optimizer!;
  return form;
}

/** The same as a line for a shell. */
export function curlOf(path: string, request: object, origin: string): string {
  const body = JSON.stringify(request).replaceAll("'", "'\\''");
  return `curl -s ${origin}${path} -H 'content-type: application/json' -d '${body}'`;
}
