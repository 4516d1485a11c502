import {
  type ArmRequest,
  DEFAULT_CONFIDENCE,
  DEFAULT_SEEDS,
  type ExperimentRequest,
} from "../../schemas/experiment.js";
import { LIMITS } from "../../schemas/limits.js";
import type { FieldError } from "../../schemas/problem.js";
import { invalid, ok, type Result } from "../result.js";
import { canonical, shortText, withField } from "./fields.js";

/** One arm before it has run. */
export interface Arm {
  readonly name: string;
  /** Ready to POST, but for the seed. */
  readonly request: ArmRequest;
  /** Added to each seed. */
  readonly seedOffset: number;
  /** Where its fields stand in the experiment's request. */
  readonly source: ArmSource;
}

interface ArmSource {
  /** JSON pointer to what it is made from: /specs/2 or /base. */
  readonly root: string;
  /** Of a grid: each path, as a pointer into the arm, with the pointer to the value taken. */
  readonly cells: readonly { readonly field: string; readonly pointer: string }[];
}

export interface Experiment {
  readonly arms: readonly Arm[];
  /** Ascending. */
  readonly seeds: readonly number[];
  /** Index of the arm that the others are compared with. */
  readonly baseline: number;
  readonly confidence: number;
}

/**
 * The arms and seeds of an experiment. `check` holds an arm's request against ArmRequestSchema (and what else is known of
 * runs): its errors, whose pointers are into the arm, come back with pointers into the experiment's request, so that a
 * misspelt path is an error at /grid/batchSizee.
 */
export function expandExperiment(
  request: ExperimentRequest,
  check: (arm: ArmRequest) => readonly FieldError[],
): Result<Experiment> {
  const seeds = seedsOf(request.seeds ?? DEFAULT_SEEDS);
  const drafts = draftArms(request);
  if (!drafts.ok) return drafts;
  const most = Math.floor(LIMITS.experimentRuns / drafts.value.length);
  if (seeds.length > most) {
    const expected = `at most ${most} for ${drafts.value.length} arms: ${LIMITS.experimentRuns} runs in all`;
    return invalid({ pointer: "/seeds", expected });
  }
  const errors = drafts.value.flatMap(({ request, source }) =>
    check(request).map((error) => ({ ...error, pointer: pointerInRequest(source, error.pointer) })),
  );
  if (errors.length === 0) errors.push(...duplicates(drafts.value), ...otherDatasets(drafts.value));
  if (errors.length > 0) return invalid(...whole(once(errors), request.grid ?? {}));
  const arms = named(drafts.value);
  const baseline = indexOf(request.baseline ?? 0, arms);
  if (baseline === null) {
    return invalid({ pointer: "/baseline", expected: `the name of an arm, or its index, below ${arms.length}` });
  }
  return ok({ arms, seeds, baseline, confidence: request.confidence ?? DEFAULT_CONFIDENCE });
}

/** An arm whose name may be missing. */
type Draft = Omit<Arm, "name"> & { readonly name: string | undefined; readonly differs: string | undefined };

function draftArms({ specs, base, grid }: ExperimentRequest): Result<readonly Draft[]> {
  if (specs !== undefined) {
    if (base !== undefined) return invalid({ pointer: "/base", expected: "nothing beside specs" });
    if (grid !== undefined) return invalid({ pointer: "/grid", expected: "nothing beside specs" });
    return ok(
      specs.map(({ name, seedOffset = 0, ...request }, i) => ({
        name,
        request,
        seedOffset,
        source: { root: `/specs/${i}`, cells: [] },
        differs: undefined,
      })),
    );
  }
  if (base === undefined) return invalid({ pointer: "/base", expected: "a run request, beside grid; or specs" });
  if (grid === undefined) return invalid({ pointer: "/grid", expected: "values by field, beside base; or specs" });
  return gridArms(base, grid);
}

function gridArms(base: ArmRequest, grid: Readonly<Record<string, readonly unknown[]>>): Result<readonly Draft[]> {
  const paths = Object.keys(grid);
  const count = paths.reduce((product, path) => product * grid[path]!.length, 1);
  if (count < 2 || count > LIMITS.experimentArms) {
    return invalid({ pointer: "/grid", expected: `2 to ${LIMITS.experimentArms} combinations, not ${count}` });
  }
  const perArm = bytesOf(base) + paths.reduce((sum, path) => sum + Math.max(...grid[path]!.map(bytesOf)), 0);
  if (perArm * count > LIMITS.experimentBytes) {
    const most = Math.floor(LIMITS.experimentBytes / count);
    return invalid({ pointer: "/base", expected: `at most ${most} bytes an arm for ${count} arms, grid included` });
  }
  // Outer fields first: "schedule.lr" goes into whatever "schedule" has put there.
  const inward = paths.toSorted((a, b) => a.split(".").length - b.split(".").length);
  const drafts: Draft[] = [];
  for (let index = 0; index < count; index++) {
    const chosen = combination(index, paths, grid);
    let request: ArmRequest = base;
    for (const path of inward) {
      const next = withField(request, path, grid[path]![chosen.get(path)!]);
      if (next === null) {
        return invalid({ pointer: `/grid/${escaped(path)}`, expected: "a path to a field of a run request" });
      }
      request = next;
    }
    const cells = paths.map((path) => ({
      field: `/${path.split(".").map(escaped).join("/")}`,
      pointer: `/grid/${escaped(path)}/${chosen.get(path)}`,
    }));
    const differs = paths
      .filter((path) => grid[path]!.length > 1)
      .map((path) => `${path}=${shortText(grid[path]![chosen.get(path)!])}`)
      .join(" ");
    drafts.push({ name: undefined, request, seedOffset: 0, source: { root: "/base", cells }, differs });
  }
  return ok(drafts);
}

const bytesOf = (value: unknown) => JSON.stringify(value).length;

/** By path, which of its values combination `index` takes; the last path changes fastest. */
function combination(
  index: number,
  paths: readonly string[],
  grid: Readonly<Record<string, readonly unknown[]>>,
): ReadonlyMap<string, number> {
  const chosen = new Map<string, number>();
  let rest = index;
  for (const path of paths.toReversed()) {
    chosen.set(path, rest % grid[path]!.length);
    rest = Math.floor(rest / grid[path]!.length);
  }
  return chosen;
}

const escaped = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** Where a field of an arm stands in the experiment's request, given its pointer in the arm's; of a grid, the value taken. */
export function pointerInRequest({ root, cells }: ArmSource, pointer: string): string {
  const inside = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}/`);
  const deepest = cells
    .filter(({ field }) => inside(pointer, field))
    .toSorted((a, b) => b.field.length - a.field.length)[0];
  if (deepest !== undefined) return deepest.pointer + pointer.slice(deepest.field.length);
  return cells.find(({ field }) => pointer !== "" && inside(field, pointer))?.pointer ?? root + pointer;
}

function once(errors: readonly FieldError[]): FieldError[] {
  return [...new Map(errors.map((error) => [`${error.pointer} ${error.expected}`, error])).values()];
}

/** What is wrong with all values of a path alike is wrong with the path: /grid/batchSizee, not /grid/batchSizee/0 and so on. */
function whole(errors: readonly FieldError[], grid: NonNullable<ExperimentRequest["grid"]>): FieldError[] {
  let left = [...errors];
  for (const [path, values] of Object.entries(grid)) {
    const pointer = `/grid/${escaped(path)}`;
    for (const first of left.filter((error) => error.pointer === `${pointer}/0`)) {
      const { expected } = first;
      const alike = values.map((_, i) => left.find((e) => e.pointer === `${pointer}/${i}` && e.expected === expected));
      if (alike.includes(undefined)) continue;
      left = [{ ...first, pointer }, ...left.filter((error) => !alike.includes(error))];
    }
  }
  return left;
}

function duplicates(drafts: readonly Draft[]): FieldError[] {
  const seen = new Map<string, Draft>();
  const names = new Map<string, ArmSource>();
  const errors: FieldError[] = [];
  for (const draft of drafts) {
    const { name, request, seedOffset, source } = draft;
    const pointer = source.cells.find(({ pointer }) => !pointer.endsWith("/0"))?.pointer ?? source.root;
    const key = canonical([request, seedOffset]);
    const twin = seen.get(key);
    if (twin !== undefined && (name === undefined || twin.name === undefined)) {
      const expected =
        twin.source.cells.length > 0
          ? "an arm unlike the others of the grid: with the same seeds it would train the same"
          : `an arm unlike ${twin.source.root}: with the same seeds it would train the same. Name both if that is meant, or give one a seedOffset`;
      errors.push({ pointer, expected });
    }
    seen.set(key, twin ?? draft);
    if (name === undefined) continue;
    const namesake = names.get(name);
    if (namesake !== undefined)
      errors.push({ pointer: `${source.root}/name`, expected: `unlike ${namesake.root}/name` });
    names.set(name, namesake ?? source);
  }
  return errors;
}

/** Losses over different data say nothing about each other; and an experiment pins one dataset. */
function otherDatasets(drafts: readonly Draft[]): FieldError[] {
  const first = drafts[0]!.request.dataset;
  return drafts
    .filter(({ request }) => request.dataset !== first)
    .map(({ source }) => ({
      pointer: pointerInRequest(source, "/dataset"),
      expected: "the dataset of the other arms: losses over different data cannot be compared",
    }));
}

/** Names those that have none by what sets them apart; every name is of one arm only, and of bounded length. */
function named(drafts: readonly Draft[]): Arm[] {
  const taken = new Set(drafts.flatMap(({ name }) => name ?? []));
  const differing = differingFields(drafts);
  return drafts.map(({ name, request, seedOffset, source, differs }, i) => {
    if (name !== undefined) return { name, request, seedOffset, source };
    const own = differs ?? differing({ request, seedOffset });
    let unique = own.length === 0 ? "defaults" : own.length > LIMITS.nameLength ? `arm ${i}` : own;
    while (taken.has(unique)) unique = `${unique.slice(0, LIMITS.nameLength - 8)} (${i})`;
    taken.add(unique);
    return { name: unique, request, seedOffset, source };
  });
}

/** The fields of a request, those of the model one by one, in which these arms are not all alike, as a text. */
function differingFields(drafts: readonly Draft[]): (arm: Pick<Draft, "request" | "seedOffset">) => string {
  const flat = ({ request: { model, ...fields }, seedOffset }: Pick<Draft, "request" | "seedOffset">) =>
    Object.entries({
      ...fields,
      ...(seedOffset === 0 ? {} : { seedOffset }),
      ...Object.fromEntries(Object.entries(model ?? {}).map(([name, value]) => [`model.${name}`, value])),
    });
  const counts = new Map<string, number>();
  for (const draft of drafts) {
    for (const entry of flat(draft)) counts.set(canonical(entry), (counts.get(canonical(entry)) ?? 0) + 1);
  }
  return (arm) =>
    flat(arm)
      .filter((entry) => counts.get(canonical(entry)) !== drafts.length)
      .map(([name, value]) => `${name}=${shortText(value)}`)
      .join(" ");
}

/** A number of seeds or the seeds themselves. */
function seedsOf(seeds: NonNullable<ExperimentRequest["seeds"]>): number[] {
  return typeof seeds === "number" ? Array.from({ length: seeds }, (_, i) => i) : seeds.toSorted((a, b) => a - b);
}

function indexOf(baseline: number | string, arms: readonly Arm[]): number | null {
  const index = typeof baseline === "number" ? baseline : arms.findIndex(({ name }) => name === baseline);
  return index >= 0 && index < arms.length ? index : null;
}
