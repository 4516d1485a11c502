import { ModelSpecSchema } from "../../schemas/model.js";
import { OPTIMIZERS } from "../../schemas/optimizers.js";
import type { FieldError } from "../../schemas/problem.js";
import { RunRequestSchema, StopOnDivergenceSchema } from "../../schemas/run.js";
import { SCHEDULE_SCHEMAS } from "../../schemas/schedule.js";
import { nearest, plain } from "./nearest.js";

/** Other words for our fields, as plain() reads them. */
const SYNONYMS: Readonly<Record<string, string>> = {
  learningrate: "lr",
  eta: "lr",
  epochs: "steps",
  iterations: "steps",
  iters: "steps",
  numsteps: "steps",
  maxsteps: "steps",
  trainsteps: "steps",
  scheduler: "schedule",
  lrscheduler: "schedule",
  lrschedule: "schedule",
  bs: "batchSize",
  optim: "optimizer",
  data: "dataset",
  tags: "labels",
  title: "name",
  hidden: "hiddenSizes",
  hiddensize: "hiddenSizes",
  layers: "hiddenSizes",
  width: "hiddenSizes",
  wd: "weightDecay",
  betas: "beta1",
  blocksize: "contextLength",
  embeddingsize: "embeddingDim",
  evalinterval: "evalEvery",
  saveevery: "checkpointEvery",
};

type Properties = Readonly<Record<string, unknown>>;

const namesOf = (schemas: readonly { readonly properties: Properties }[]) =>
  new Set(schemas.flatMap(({ properties }) => Object.keys(properties)).filter((name) => name !== "type"));

/** The fields of a run's request that have fields of their own. */
const PLACES: Readonly<Record<string, ReadonlySet<string>>> = {
  schedule: namesOf(Object.values(SCHEDULE_SCHEMAS)),
  optimizer: namesOf(Object.values(OPTIMIZERS).map(({ schema }) => schema)),
  model: namesOf([ModelSpecSchema]),
  stopOnDivergence: namesOf([StopOnDivergenceSchema]),
};
const TOP = Object.keys(RunRequestSchema.properties);

interface Unknown {
  /** To the object that has the field. */
  readonly parent: string;
  readonly name: string;
  /** JSON pointer to the field. */
  readonly pointer: string;
  /** That the object may have. */
  readonly known: readonly string[];
  /** The object. */
  readonly data: unknown;
}

/** What to say of a field that nothing knows: which was meant, or where it belongs, or which there are. */
export function unknownField({ parent, name, pointer, known, data }: Unknown): FieldError {
  const say = (expected: string, hint: string): FieldError => ({
    pointer,
    expected,
    message: `unknown field${hint}`,
  });
  const synonym = SYNONYMS[plain(name)];
  const meant = nearest(name, known) ?? (synonym !== undefined && known.includes(synonym) ? synonym : null);
  if (meant !== null) {
    const twice = typeof data === "object" && data !== null && Object.hasOwn(data, meant);
    return say(meant, twice ? `; \`${meant}\` is given too: once is enough` : `; did you mean \`${meant}\`?`);
  }
  const at = { parent, known, example: (place: string, field: string) => example(place, field, name, data) };
  const elsewhere = placeOf(name, at) ?? (synonym === undefined ? null : placeOf(synonym, at));
  if (elsewhere !== null) return say(elsewhere.path, `; ${elsewhere.hint}`);
  const alike = nearest(name, known, true);
  if (alike !== null) return say(alike, `; did you mean \`${alike}\`?`);
  if (known.length === 0) return say("nothing", "; none is known here");
  return say(`one of ${known.join(", ")}`, `; known are ${known.join(", ")}`);
}

interface At {
  readonly parent: string;
  readonly known: readonly string[];
  readonly example: (place: string, field: string) => string;
}

/** Where a field of that name belongs, if it is not where it stands. */
function placeOf(name: string, { parent, known, example }: At): { path: string; hint: string } | null {
  const own = parent.split("/").findLast((part) => Object.hasOwn(PLACES, part));
  for (const [place, fields] of Object.entries(PLACES)) {
    // At the top of a request, or beside another place in it.
    if (place === own || (own === undefined && !known.includes(place))) continue;
    const field = [...fields].find((inner) => plain(inner) === plain(name));
    if (field === undefined) continue;
    const shown = own === undefined ? example(place, field) : "";
    return { path: `${place}.${field}`, hint: `it belongs in \`${place}\`${shown}` };
  }
  const top = own === undefined ? undefined : TOP.find((field) => plain(field) === plain(name));
  return top === undefined ? null : { path: top, hint: `\`${top}\` belongs beside \`${own}\`, not in it` };
}

/** The field where it belongs, with the value that was given as `name`; "" where that is no scalar. */
function example(place: string, field: string, name: string, data: unknown): string {
  const given = data as Properties;
  const value = given[name];
  if (!["number", "string", "boolean"].includes(typeof value)) return "";
  const asked = given[place];
  const type = typeof asked === "string" ? asked : (asked as Properties | undefined)?.type;
  const typed = place === "schedule" || place === "optimizer";
  const usual = place === "schedule" ? scheduleWith(field) : "sgd";
  const inner = {
    ...(typed && { type: typeof type === "string" ? type : usual }),
    [field]: field === "hiddenSizes" ? [value] : value,
  };
  const text = JSON.stringify({ [place]: inner });
  return text.length > 120 ? "" : `: ${text}`;
}

const scheduleWith = (field: string) =>
  Object.entries(SCHEDULE_SCHEMAS).find(([, { properties }]) => field in properties)![0];
