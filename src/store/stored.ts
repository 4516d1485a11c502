import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/schema";
import { type RunSpec, RunSpecSchema } from "../schemas/run.js";
import { isChildKey, SCHEDULE_SCHEMAS, type ScheduleType } from "../schemas/schedule.js";
import { type SearchSpec, SearchSpecSchema } from "../schemas/search.js";
import { type ExperimentSpec, ExperimentSpecSchema } from "../schemas/stored-experiment.js";

/** Reads JSON that is stored. Throws an Error that says what is wrong where, since nobody but us has written it. */
export type Parser<T> = (text: string) => T;

/** References to schedules are followed by `scheduleProblem`: by its type, which costs a fiftieth of trying them all. */
const CONTEXT = { "ScheduleSpec#": {}, "ScheduleRequest#": {}, ArmRequest: {} };

type Check = (value: unknown) => string | null;

/** What is wrong with a value; null: nothing is. Compiled when first needed. */
function checkOf(schema: TSchema | object): Check {
  let compiled: ReturnType<typeof Compile> | undefined;
  return (value) => {
    compiled ??= Compile(CONTEXT, schema);
    if (compiled.Check(value)) return null;
    const [first] = compiled.Errors(value)[1];
    return first === undefined ? "it does not fit" : `${first.instancePath || "it"} ${first.message}`;
  };
}

const scheduleChecks = Object.fromEntries(
  Object.entries(SCHEDULE_SCHEMAS).map(([type, schema]) => [type, checkOf(schema)]),
) as Record<ScheduleType, Check>;

function scheduleProblem(schedule: object): string | null {
  const { type } = schedule as { type?: unknown };
  if (typeof type !== "string" || !Object.hasOwn(scheduleChecks, type)) return `no schedule is a ${String(type)}`;
  const problem = scheduleChecks[type as ScheduleType](schedule);
  if (problem !== null) return problem;
  for (const [name, value] of Object.entries(schedule)) {
    if (!isChildKey(name)) continue;
    for (const child of [value].flat()) {
      const inner = scheduleProblem(child as object);
      if (inner !== null) return inner;
    }
  }
  return null;
}

function parser<T>(what: string, ...checks: readonly ((value: T) => string | null)[]): Parser<T> {
  return (text) => {
    const value = JSON.parse(text) as T;
    for (const check of checks) {
      const problem = check(value);
      if (problem !== null) throw new Error(`the stored ${what} is not valid: ${problem}`);
    }
    return value;
  };
}

export const parserOf = <const S extends TSchema>(what: string, schema: S): Parser<Static<S>> =>
  parser<Static<S>>(what, checkOf(schema));

export const parseRunSpec = parser<RunSpec>("run", checkOf(RunSpecSchema), ({ schedule }) => scheduleProblem(schedule));
export const parseSearchSpec = parser<SearchSpec>("search", checkOf(SearchSpecSchema), ({ run }) =>
  scheduleProblem(run.schedule),
);

export const parseExperimentSpec = parser<ExperimentSpec>("experiment", checkOf(ExperimentSpecSchema), ({ arms }) =>
  arms.reduce<string | null>((problem, { run }) => problem ?? scheduleProblem(run.schedule), null),
);

/** A Redis hash, with what to say where a field is not what it should be. */
export class StoredHash {
  readonly #fields: Readonly<Record<string, string>>;

  constructor(fields: Readonly<Record<string, string>>) {
    this.#fields = fields;
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (value === undefined) throw new Error(`the stored record ${this.#fields.id} has no ${name}`);
    return value;
  }

  number(name: string): number {
    const value = Number(this.text(name));
    if (Number.isNaN(value)) throw new Error(`the stored record ${this.#fields.id} has no number as ${name}`);
    return value;
  }

  json<T>(name: string, parse: Parser<T>): T {
    try {
      return parse(this.text(name));
    } catch (error) {
      throw new Error(`${this.#fields.id}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** These give null where it has no such field. */
  textOrNull(name: string): string | null {
    return this.has(name) ? this.text(name) : null;
  }

  numberOrNull(name: string): number | null {
    return this.has(name) ? this.number(name) : null;
  }

  jsonOrNull<T>(name: string, parse: Parser<T>): T | null {
    return this.has(name) ? this.json(name, parse) : null;
  }
}
