import { baseRate } from "../../core/schedules/rates.js";
import type { Run } from "../../schemas/run.js";
import { number } from "../format.js";

/** A run's value of a field; null: it has none. */
export type FieldValue = string | number | null;

/** A parameter that is not the same in all runs. */
export interface Field {
  /** Its path in the spec, shortened to what tells it from the others; "lr" is the schedule's base or peak rate. */
  readonly name: string;
  /** Of each run. */
  readonly values: readonly FieldValue[];
  /** All values are numbers, but for runs that have none: a sweep has no rate. */
  readonly numeric: boolean;
}

/** A spec's leaves by path. */
export function leavesOf(value: unknown, path = ""): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, path === "" ? key : `${path}.${key}`));
}

/** Every parameter that differs between runs, the rate first and the seed last; what only repeats another is left out. */
export function fieldsThatDiffer(runs: readonly Run[]): Field[] {
  const leaves = runs.map(({ spec }) => new Map(leavesOf({ lr: spec.schedule && baseRate(spec.schedule), ...spec })));
  const paths = [...new Set(leaves.flatMap((map) => [...map.keys()]))].filter((path) => path !== "name");
  const columns = new Map<string, { path: string; values: FieldValue[] }>();
  const names = new Set<string>();
  for (const path of paths) {
    const values = leaves.map((map) => asValue(map.get(path)));
    const key = JSON.stringify(values);
    // Another dataset has another digest.
    if (path === "dataset.digest" && names.has("dataset.name")) continue;
    if (new Set(values).size > 1 && !columns.has(key)) {
      columns.set(key, { path, values });
      names.add(path);
    }
  }
  const differing = [...columns.values()];
  const order = ({ path }: { path: string }) => (path === "lr" ? -1 : path === "seed" ? 1 : 0);
  return differing
    .toSorted((a, b) => order(a) - order(b))
    .map(({ path, values }) => ({
      name: shortName(
        path,
        differing.map((other) => other.path),
      ),
      values,
      numeric: isNumeric(values),
    }));
}

/** Numbers, or nothing; and some numbers. */
export const isNumeric = (values: readonly FieldValue[]): values is readonly (number | null)[] =>
  values.some((value) => value !== null) && values.every((value) => value === null || typeof value === "number");

function asValue(value: unknown): FieldValue {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" || typeof value === "string") return value;
  return Array.isArray(value) && value.length === 0 ? null : JSON.stringify(value).replaceAll('"', "");
}

/** "schedule.type" is the schedule, "dataset.name" the dataset; otherwise the last word, where no other path ends with it. */
function shortName(path: string, all: readonly string[]): string {
  const words = path.split(".");
  const typed = ["type", "name"].includes(words.at(-1)!) ? words.slice(0, -1) : words;
  const last = typed.at(-1)!;
  const alike = all.filter((other) => other === last || other.endsWith(`.${last}`));
  return alike.length <= 1 ? last : typed.join(".");
}

/** Fields whose values speak for themselves. */
const BARE = new Set(["schedule", "optimizer", "dataset", "labels"]);

export const valueText = (value: FieldValue): string =>
  value === null
    ? "none"
    : typeof value === "string"
      ? cut(value)
      : Number.isInteger(value)
        ? exactly(value)
        : number(value);

/** A seed of ten digits is known by all of them. */
const exactly = (value: number): string => (Number.isSafeInteger(value) ? String(value) : number(value));

/** Digests and their like, as far as they tell; everything else as it is. */
export const cut = (text: string): string => (/^[0-9a-f]{24,}$/.test(text) ? `${text.slice(0, 8)}…` : text);

const LONGEST = 44;

export interface RunName {
  /** In a legend's length. */
  readonly label: string;
  readonly full: string;
}

/** As few fields as tell all runs apart that any tell apart, the first ones first. */
export function fieldsThatTell(fields: readonly Field[]): Field[] {
  const telling: Field[] = [];
  let classes = 1;
  for (const field of fields) {
    const all = [...telling, field];
    const finer = new Set(field.values.map((_, i) => JSON.stringify(all.map(({ values }) => values[i]!)))).size;
    if (finer === classes) continue;
    telling.push(field);
    classes = finer;
  }
  return telling;
}

/** What to call each run: its own name where all have one and no two the same, else what sets it apart. */
export function namesOf(runs: readonly Run[], fields: readonly Field[]): RunName[] {
  const own = runs.map(({ spec }) => spec.name);
  const named = new Set(own).size === runs.length && !own.includes(null);
  const telling = fieldsThatTell(fields);
  const full = runs.map(({ id }, i) => {
    if (named) return own[i]!;
    const parts = telling.map(({ name, values }) =>
      BARE.has(name) ? valueText(values[i]!) : `${name} ${valueText(values[i]!)}`,
    );
    return parts.join(", ") || id.slice(-8);
  });
  return full.map((text, i) => {
    const unique = full.indexOf(text) === full.lastIndexOf(text) ? text : `${text} (${runs[i]!.id.slice(-4)})`;
    return { label: unique.length <= LONGEST ? unique : `${unique.slice(0, LONGEST - 1)}…`, full: unique };
  });
}

/** Runs that belong together, by place. */
export interface Grouped {
  readonly label: string;
  readonly full: string;
  readonly members: readonly number[];
}

/** Groups of one value of a field each, in the order of the values. */
export function groupsBy(field: Field): Grouped[] {
  const groups = new Map<FieldValue, number[]>();
  for (const [i, value] of field.values.entries()) groups.set(value, [...(groups.get(value) ?? []), i]);
  const entries = [...groups.entries()];
  if (field.numeric) {
    const place = (value: FieldValue) => (value === null ? Number.POSITIVE_INFINITY : (value as number));
    entries.sort(([a], [b]) => (a === b ? 0 : place(a) - place(b)));
  }
  return entries.map(([value, members]) => {
    const text = BARE.has(field.name) ? valueText(value) : `${field.name} ${valueText(value)}`;
    return { label: text, full: text, members };
  });
}

/** Groups of runs that differ in nothing but their seed. */
export function groupsOverSeeds(runs: readonly Run[], fields: readonly Field[]): Grouped[] {
  const others = fields.filter(({ name }) => name !== "seed");
  const groups = new Map<string, number[]>();
  for (const i of runs.keys()) {
    const key = JSON.stringify(others.map(({ values }) => values[i]!));
    groups.set(key, [...(groups.get(key) ?? []), i]);
  }
  const members = [...groups.values()];
  const firsts = members.map(([first]) => first!);
  const names = namesOf(
    firsts.map((i) => ({ ...runs[i]!, spec: { ...runs[i]!.spec, name: null } })),
    others.map((field) => ({ ...field, values: firsts.map((i) => field.values[i]!) })),
  );
  return members.map((own, g) => {
    const { label, full } = names[g]!;
    const named = others.length > 0 || members.length > 1;
    return { label: named ? label : "all seeds", full: named ? full : "all seeds", members: own };
  });
}
