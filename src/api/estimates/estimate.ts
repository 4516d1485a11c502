import { type Cost, experimentCost, runCost, searchCost, sum } from "../../core/estimate.js";
import type { Estimate } from "../../schemas/estimate.js";
import type { ExperimentRequest } from "../../schemas/experiment.js";
import type { EngineName, RunRequest } from "../../schemas/run.js";
import type { SearchRequest } from "../../schemas/search.js";
import type { Fleet } from "../../store/contract.js";
import { type CreateExperimentDeps, resolvedExperiment } from "../experiments/create-experiment.js";
import { type CreateRunDeps, resolvedRun } from "../runs/create-run.js";
import { type CreateSearchDeps, resolvedSearch } from "../searches/create-search.js";

export interface EstimateDeps {
  readonly fleet: Pick<Fleet, "slots" | "speed" | "workers">;
}

/** With the search that it would wait for. Like the others, it throws what the creating route would, and creates nothing. */
export async function estimateRun(
  deps: EstimateDeps & Pick<CreateRunDeps, "runs" | "datasets">,
  request: RunRequest,
): Promise<Estimate> {
  const { spec, search, facts } = await resolvedRun(deps, "run_", request);
  const costs = [runCost(spec, facts), ...(search === null ? [] : [searchCost(search, facts)])];
  return estimate(deps, sum(costs), [spec.engine]);
}

export async function estimateSearch(
  deps: EstimateDeps & Pick<CreateSearchDeps, "datasets">,
  request: SearchRequest,
): Promise<Estimate> {
  const { spec, facts } = await resolvedSearch(deps, request);
  return estimate(deps, searchCost(spec, facts), [spec.run.engine]);
}

export async function estimateExperiment(
  deps: EstimateDeps & Pick<CreateExperimentDeps, "datasets" | "shapeErrors">,
  request: ExperimentRequest,
): Promise<Estimate> {
  const { spec, facts } = await resolvedExperiment(deps, request);
  return estimate(
    deps,
    experimentCost(spec, facts),
    spec.arms.map(({ run }) => run.engine),
  );
}

/** Of several engines the slowest speed is taken. */
async function estimate(
  { fleet }: EstimateDeps,
  { steps, trainings, seconds, bytes, memory }: Cost,
  engines: readonly EngineName[],
): Promise<Estimate> {
  const speeds = await Promise.all([...new Set(engines)].map((engine) => fleet.speed(engine)));
  const slots = await fleet.slots();
  const secondsOneCore = seconds * Math.max(...speeds.map((speed) => speed ?? 1));
  return {
    steps,
    trainings,
    seconds: slots === 0 ? null : secondsOneCore / Math.min(slots, trainings),
    secondsOneCore,
    bytes,
    memory,
    slots,
    basis: speeds.includes(null) ? "assumed" : "measured",
  };
}
