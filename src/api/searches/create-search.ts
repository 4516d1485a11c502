import { randomInt } from "node:crypto";
import { searchCost } from "../../core/estimate.js";
import type { DatasetFacts } from "../../core/resolve.js";
import { resolveSearch } from "../../core/resolve-search.js";
import { searchWarnings } from "../../core/warnings.js";
import { LIMITS } from "../../schemas/limits.js";
import type { SearchRequest, SearchSpec } from "../../schemas/search.js";
import type { DatasetFinder } from "../../store/built-in-dataset.js";
import type { Fleet, SearchRecord } from "../../store/contract.js";
import { datasetFacts } from "../datasets/dataset-facts.js";
import { invalidRequest } from "../http/problems.js";
import { newId } from "../ids.js";
import { type Creating, createRecord, type Origin, type Producer, refuseLate } from "../runs/create-record.js";
import { webhookOption } from "../webhooks/webhook-option.js";

export interface CreateSearchDeps {
  readonly searches: Creating<SearchSpec, SearchRecord>;
  readonly searchQueue: Producer;
  readonly datasets: DatasetFinder;
  readonly fleet: Pick<Fleet, "speed">;
}

/** Stores a search and sees to its job. Throws a ProblemError when nothing was done. */
export async function createSearch(
  { searches, searchQueue, ...deps }: CreateSearchDeps,
  request: SearchRequest,
  origin: Origin,
): Promise<SearchRecord> {
  const { spec, facts } = await resolvedSearch(deps, request);
  const id = origin.recordId ?? newId("search", Date.now());
  const advice = { warnings: searchWarnings(request, spec), guessLoss: spec.guessLoss };
  const creation = { id, spec, advice, cost: searchCost(spec, facts), ...webhookOption(request) };
  return createRecord(searches, searchQueue, creation, origin);
}

/** Throws a ProblemError that names the fields of the request. */
export async function resolvedSearch(
  { datasets, fleet }: Pick<CreateSearchDeps, "datasets" | "fleet">,
  request: SearchRequest,
): Promise<{ readonly spec: SearchSpec; readonly facts: DatasetFacts }> {
  refuseLate(request.budget);
  const facts = await datasetFacts(datasets, request.dataset);
  // As in an estimate: the speed that was measured here, or else the assumed one.
  const slowness = request.budget?.seconds === undefined ? null : await fleet.speed(request.engine ?? "auto");
  const resolved = resolveSearch(request, facts, randomInt(LIMITS.seed), slowness ?? 1);
  if (!resolved.ok) throw invalidRequest(resolved.errors);
  return { spec: resolved.value, facts };
}
