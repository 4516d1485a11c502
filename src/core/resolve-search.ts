import type { RunRequest, RunSpec } from "../schemas/run.js";
import type { SearchRequest, SearchSpec } from "../schemas/search.js";
import { leastSteps } from "./finder/search.js";
import { type SearchConfig, searchConfig } from "./finder/search-state.js";
import { type DatasetFacts, resolveRun } from "./resolve.js";
import { invalid, ok, type Result } from "./result.js";

/** Four decades in which plain SGD's best rate lies for almost any model of this kind. */
const DEFAULT_SEARCH_RANGE: readonly [number, number] = [1e-4, 1];

const NO_RANGE = { pointer: "/lrRange", expected: "[low, high] with low below high" };

/** Nobody reads the regrets of a search that only serves a run. */
const AUTO_CONFIG: Partial<SearchConfig> = { methodSeeds: 0, maxSeeds: 5 };

/** Spells out every default of a search request; what its arms have in common is checked as a run of its own. */
export function resolveSearch(request: SearchRequest, dataset: DatasetFacts, seed: number): Result<SearchSpec> {
  const { lrRange = DEFAULT_SEARCH_RANGE, labels = [], name: _name, ...shared } = request;
  if (lrRange[0] >= lrRange[1]) return invalid(NO_RANGE);
  const run = resolveRun({ ...shared, lrRange: [lrRange[0], lrRange[1]] } as RunRequest, dataset, seed);
  return run.ok
    ? ok({ lrRange: [lrRange[0], lrRange[1]], run: run.value, totalSteps: null, settles: null, labels: [...labels] })
    : run;
}

export function configOf({ lrRange, run, totalSteps }: SearchSpec): SearchConfig {
  return searchConfig({
    lrRange,
    steps: run.steps,
    seed: run.seed,
    totalSteps,
    ...(totalSteps === null ? {} : AUTO_CONFIG),
  });
}

/** Part of a run's steps that finding its rate may take, where `lr` is "auto". */
export const AUTO_SHARE = 0.25;
/** Arms of the search for an "auto" rate are this part of the run: about as many fit into AUTO_SHARE as a search trains. */
const AUTO_ARM = 1 / 400;

/** The search, within the run's lrRange, that finds its rate: short arms, and no more steps in all than AUTO_SHARE of the run's. */
export function autoSearch(spec: RunSpec, runId: string, request: RunRequest): Result<SearchSpec> {
  const steps = Math.max(20, Math.round(spec.steps * AUTO_ARM));
  const totalSteps = Math.floor(spec.steps * AUTO_SHARE);
  const [low, high] = request.lrRange ?? DEFAULT_SEARCH_RANGE;
  if (low >= high) return invalid(NO_RANGE);
  const search: SearchSpec = {
    lrRange: [low, high],
    run: { ...spec, steps, checkpointEvery: 0 },
    totalSteps,
    settles: { runId, request },
    labels: [],
  };
  const least = Math.ceil(leastSteps(configOf(search)) / AUTO_SHARE);
  if (spec.steps >= least) return ok(search);
  return invalid({ pointer: "/steps", expected: `at least ${least} where a rate is "auto": a search takes a quarter` });
}

/** A child run of a search: what all share, with a schedule, steps and seeds of its own. */
export function childSpec(
  search: SearchSpec,
  id: string,
  own: Pick<RunSpec, "schedule" | "steps" | "seed" | "replicas">,
): RunSpec {
  return { ...search.run, ...own, evalEvery: 0, stopOnDivergence: null, name: null, labels: [id] };
}
