import type { Budget } from "../schemas/budget.js";
import { LIMITS } from "../schemas/limits.js";
import type { FieldError } from "../schemas/problem.js";
import type { RunRequest, RunSpec } from "../schemas/run.js";
import type { ScheduleRequest, ScheduleRequestObject, ScheduleSpec } from "../schemas/schedule.js";
import { DEFAULT_BUDGET, SEARCH_LR_RANGE, type SearchRequest, type SearchSpec } from "../schemas/search.js";
import { evaluationSeconds, stepCost } from "./cost.js";
import { checkMemory, type DatasetFacts, resolveRun } from "./resolve.js";
import { invalid, ok, type Result } from "./result.js";
import { autoRatePaths } from "./schedules/auto-rate.js";
import { lintSchedule } from "./schedules/lint.js";
import { rateParameter } from "./schedules/rates.js";
import { SWEEP_SEEDS, SWEEP_STEPS } from "./search/finders.js";
import { PORTFOLIO, SHAPES, SOME_RATE, scheduleAt } from "./search/portfolio.js";
import { rungsOf } from "./search/rates.js";
import type { SearchConfig } from "./search/state.js";

/**
 * Steps that a search may train where the request does not say: so many times its horizon, but no more than `most` steps, or
 * `least` times the horizon where that is more. A search of one schedule needs less.
 */
const BUDGET = {
  joint: { usual: DEFAULT_BUDGET.joint, least: 10, most: 75_000_000 },
  single: { usual: DEFAULT_BUDGET.single, least: 2, most: 20_000_000 },
} as const;

/** Fresh seeds that verify a rate. */
const SEEDS = 4;

const NO_RANGE: FieldError = { pointer: "/lrRange", expected: "[low, high] with low below high" };
type Schedules = SearchSpec["schedules"];

/**
 * Spells out every default of a search request; what its trainings have in common is checked as a run of its own.
 * `slowness`: seconds that trainings take here, in those that are assumed (src/core/cost.ts).
 */
export function resolveSearch(
  request: SearchRequest,
  dataset: DatasetFacts,
  seed: number,
  slowness = 1,
): Result<SearchSpec> {
  const {
    lrRange,
    budget,
    shapes = false,
    seeds = SEEDS,
    finders = true,
    schedules,
    labels = [],
    name = null,
    ...shared
  } = request;
  const [low, high] = lrRange ?? SEARCH_LR_RANGE;
  if (low >= high) return invalid(NO_RANGE);
  const run = resolveRun({ ...shared, lrRange: [low, high] }, dataset, seed);
  if (!run.ok) return run;
  const tooLarge = checkMemory(largest(run.value, seeds), dataset, "/seeds");
  if (tooLarge.length > 0) return invalid(...tooLarge);
  const chosen = resolveSchedules(
    schedules ?? Object.keys(PORTFOLIO).map((type) => ({ type }) as ScheduleRequestObject),
    request.steps,
    shapes,
  );
  if (!chosen.ok) return chosen;
  return ok({
    steps: request.steps,
    schedules: chosen.value,
    lrRange: [low, high],
    budget: budgetOf(budget, chosen.value, run.value, dataset, slowness),
    ...deadlineOf(budget),
    seeds,
    finders,
    guessLoss: Math.log(dataset.vocabSize),
    run: run.value,
    settles: null,
    name,
    labels: [...labels],
  });
}

/** Of its trainings that with the most seeds at once: those of a sweep, or the further ones that tell two rates apart. */
export function largest(run: RunSpec, seeds: number) {
  return { ...run, replicas: Math.max(SWEEP_SEEDS, 2 * seeds), limit: run.dataset.limit };
}

/** The search that finds what a run's request leaves open: a rate within its schedule, or schedule and rate. */
export function autoSearch(
  spec: RunSpec,
  runId: string,
  request: RunRequest,
  dataset: DatasetFacts,
): Result<SearchSpec> {
  const [low, high] = request.lrRange ?? SEARCH_LR_RANGE;
  if (low >= high) return invalid(NO_RANGE);
  const asked = request.schedule === "auto" ? Object.keys(PORTFOLIO).map((type) => ({ type })) : [request.schedule];
  const schedules = resolveSchedules(asked as ScheduleRequest[], spec.steps, false);
  if (!schedules.ok) {
    return invalid(
      ...schedules.errors.map((error) => ({ ...error, pointer: error.pointer.replace("/schedules/0", "/schedule") })),
    );
  }
  const tooLarge = checkMemory(largest(spec, SEEDS), dataset, "/model");
  if (tooLarge.length > 0) return invalid(...tooLarge);
  const { budget, ...run } = spec;
  return ok({
    steps: spec.steps,
    schedules: schedules.value,
    lrRange: [low, high],
    budget: budgetOf(undefined, schedules.value, spec, dataset, 1),
    ...deadlineOf(budget),
    seeds: SEEDS,
    finders: false,
    guessLoss: Math.log(dataset.vocabSize),
    run: { ...run, name: null, labels: [] },
    settles: { runId },
    name: null,
    labels: [],
  });
}

/** Whether a request leaves its rate, or its schedule, to a search. */
export function isOpen(schedule: RunRequest["schedule"]): boolean {
  return schedule === "auto" || (schedule !== undefined && autoRatePaths(schedule).length > 0);
}

/** Open schedules with names that tell them apart; errors name the request's fields. */
function resolveSchedules(requests: readonly ScheduleRequest[], steps: number, shapes: boolean): Result<Schedules> {
  const errors: FieldError[] = [];
  const schedules: Schedules = [];
  for (const [i, each] of requests.entries()) {
    const request: ScheduleRequestObject = typeof each === "string" ? { type: each } : each;
    const pointer = `/schedules/${i}`;
    const rate = rateParameter(request.type);
    const given = rate === null ? undefined : request[rate];
    if (autoRatePaths(request).length === 0 && (rate === null || given !== undefined)) {
      errors.push({
        pointer: rate === null ? pointer : `${pointer}/${rate}`,
        expected: 'a rate that is left open, or "auto"',
      });
      continue;
    }
    const resolved = scheduleAt(request, SOME_RATE, steps, steps);
    const text = JSON.stringify(resolved);
    const same = schedules.find(({ request }) => JSON.stringify(scheduleAt(request, SOME_RATE, steps, steps)) === text);
    if (same !== undefined) {
      errors.push({ pointer, expected: `a schedule unlike those before it: it is the same as ${same.name}` });
      continue;
    }
    const wrong = resolved.ok ? neverReached(resolved.value, steps) : resolved.errors;
    errors.push(...wrong.map((error) => ({ ...error, pointer: `${pointer}${error.pointer}` })));
    if (wrong.length === 0)
      schedules.push(
        ...(shapes
          ? shapesOf(request, schedules, steps)
          : [{ name: nameOf(request, schedules), request, family: null }]),
      );
  }
  return errors.length > 0 ? invalid(...errors) : ok(schedules);
}

/** Milestones that a search would never see: what it found would be another schedule's rate. */
function neverReached(schedule: ScheduleSpec, steps: number): FieldError[] {
  return lintSchedule(schedule, { steps }).flatMap(({ code, pointer, message }) =>
    code === "milestone-past-end" ? [{ pointer, expected: `what comes before the end: ${message}` }] : [],
  );
}

/** A schedule, and where nothing but its type is given, its other shapes. */
function shapesOf(request: ScheduleRequestObject, before: Schedules, steps: number): Schedules {
  const { type } = request;
  const others = Object.keys(request).length === 1 ? (SHAPES[type]?.(steps) ?? []) : [];
  const name = nameOf(request, before);
  const family = others.length === 0 ? null : name;
  return [
    { name, request, family },
    ...others.map((shape) => ({ name: `${name} (${shape.name})`, request: { type, ...shape.given }, family })),
  ];
}

/** The type, with what was given where that is needed to tell it from those before. */
function nameOf({ type, ...given }: ScheduleRequestObject, before: Schedules): string {
  const taken = (name: string) => before.some((other) => other.name === name);
  if (!taken(type)) return type;
  const details = Object.entries(given).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  const detailed = `${type} (${details.join(", ")})`.slice(0, 60);
  if (details.length > 0 && !taken(detailed)) return detailed;
  for (let n = 2; ; n++) if (!taken(`${type} ${n}`)) return `${type} ${n}`;
}

function budgetOf(
  asked: SearchRequest["budget"],
  schedules: Schedules,
  run: RunSpec,
  dataset: DatasetFacts,
  slowness: number,
): number {
  const { usual, least, most } = schedules.length > 1 ? BUDGET.joint : BUDGET.single;
  const { steps } = run;
  const cost = stepCost(run, dataset);
  const limits = [LIMITS.searchSteps, Math.floor(LIMITS.multiplyAddsPerRun / cost.multiplyAdds)];
  if (asked?.steps !== undefined) limits.push(asked.steps);
  if (asked?.seconds !== undefined) limits.push(stepsIn(asked.seconds / slowness, run, dataset));
  if (asked?.steps === undefined && asked?.seconds === undefined)
    limits.push(Math.min(usual * steps + SWEEP_STEPS, Math.max(least * steps, most)));
  return Math.min(...limits);
}

/** Steps of such trainings that so many seconds of an assumed core are enough for, at least one. */
export function stepsIn(seconds: number, run: RunSpec, dataset: DatasetFacts): number {
  const perTraining =
    run.steps * stepCost(run, dataset).seconds + evaluationSeconds(run, dataset, { validation: 1, train: 0 });
  return Math.max(1, Math.floor((run.steps * seconds) / perTraining));
}

export const deadlineOf = (budget: Budget | undefined) =>
  budget?.deadline === undefined ? {} : { deadline: budget.deadline };

/** What the pure search (src/core/search) needs to know of it. */
export function configOf({
  steps,
  schedules,
  lrRange,
  budget,
  seeds,
  finders,
  guessLoss,
  run,
}: SearchSpec): SearchConfig {
  return {
    steps,
    // Where every schedule still means something: one with given steps may not fit into few.
    rungs: rungsOf(steps).filter((rung) =>
      schedules.every(({ request }) => scheduleAt(request, SOME_RATE, rung, steps).ok),
    ),
    lrRange,
    candidates: schedules,
    seed: run.seed,
    budget,
    verifyingSeeds: seeds,
    guessLoss,
    finders,
  };
}

/** A training of a search or experiment: what all share, with some fields of its own. */
export function childSpec(shared: RunSpec, own: Pick<RunSpec, "schedule" | "steps" | "seed" | "replicas">): RunSpec {
  return { ...shared, ...own, evalEvery: 0, checkpointEvery: 0, stopOnDivergence: null, name: null, labels: [] };
}
