import type { RunRequest, RunSpec } from "../spec/run.js";
import type { SearchRequest, SearchSpec } from "../spec/search.js";
import { type SearchConfig, searchConfig } from "./finder/search.js";
import { type DatasetFacts, resolveRun } from "./resolve.js";
import { ok, type Result } from "./result.js";

/** Four decades in which plain SGD's best rate lies for almost any model of this kind. */
const DEFAULT_SEARCH_RANGE: readonly [number, number] = [1e-4, 1];

/** Spells out every default of a search request; what its arms have in common is checked as a run of its own. */
export function resolveSearch(request: SearchRequest, dataset: DatasetFacts, seed: number): Result<SearchSpec> {
  const { lrRange = DEFAULT_SEARCH_RANGE, labels = [], name: _name, ...shared } = request;
  const run = resolveRun({ ...shared, lrRange: [lrRange[0], lrRange[1]] } as RunRequest, dataset, seed);
  return run.ok ? ok({ lrRange: [lrRange[0], lrRange[1]], run: run.value, settles: null, labels: [...labels] }) : run;
}

export function configOf({ lrRange, run }: SearchSpec): SearchConfig {
  return searchConfig({ lrRange, steps: run.steps, seed: run.seed });
}

/** Part of a run's budget that finding its rate may take, where `lr` is "auto". */
export const AUTO_SHARE = 0.25;
/** Arms' worth of full-budget training that a search takes, about: measured by test/bench/finder-accuracy. */
const SEARCH_ARMS = 60;

/** Steps of one arm, so that the whole search takes about AUTO_SHARE of a run's steps. */
export function autoSearchSteps(runSteps: number): number {
  return Math.max(20, Math.floor((runSteps * AUTO_SHARE) / SEARCH_ARMS));
}

/** A child run of a search: what all share, with a schedule, steps and seeds of its own. */
export function childSpec(
  search: SearchSpec,
  id: string,
  own: Pick<RunSpec, "schedule" | "steps" | "seed" | "replicas">,
): RunSpec {
  return { ...search.run, ...own, evalEvery: 0, stopOnDivergence: null, name: null, labels: [id] };
}
