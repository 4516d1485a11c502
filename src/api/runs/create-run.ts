import { randomInt } from "node:crypto";
import { runCost, searchCost } from "../../core/estimate.js";
import { type DatasetFacts, DEFAULT_LR_RANGE, resolveRun } from "../../core/resolve.js";
import { autoSearch, isOpen } from "../../core/resolve-search.js";
import { substituteRate } from "../../core/schedules/auto-rate.js";
import { requestWarnings } from "../../core/warnings.js";
import { LIMITS } from "../../schemas/limits.js";
import type { RunRequest, RunSpec } from "../../schemas/run.js";
import type { ScheduleRequest } from "../../schemas/schedule.js";
import type { SearchSpec } from "../../schemas/search.js";
import type { Webhook } from "../../schemas/webhook.js";
import type { Advice, Fleet, RunRecord, SearchRecord } from "../../store/contract.js";
import { datasetFacts } from "../datasets/dataset-facts.js";
import { invalidRequest } from "../http/problems.js";
import { idOf, newId } from "../ids.js";
import { webhookOption } from "../webhooks/webhook-option.js";
import { type Creating, createRecord, enqueue, type Origin, type Producer, refuseLate } from "./create-record.js";
import { requireEngines } from "./engine-there.js";
import { type ForkDeps, forkRun, resolvedFork } from "./fork-run.js";

export interface CreateRunDeps extends ForkDeps {
  readonly searches: Creating<SearchSpec, SearchRecord>;
  readonly searchQueue: Producer;
  readonly fleet: Pick<Fleet, "workers">;
}

/** Stores a run, or a fork of one, and sees to its job. Throws a ProblemError when nothing was done. */
export async function createRun(deps: CreateRunDeps, request: RunRequest, origin: Origin): Promise<RunRecord> {
  const id = origin.recordId ?? newId("run", Date.now());
  const { from, engine = "auto" } = request;
  const hook = webhookOption(request);
  await requireEngines(deps.fleet, [{ engine, pointer: "/engine" }]);
  if (from !== undefined) return forkRun(deps, id, { ...request, from }, origin);
  const { spec, search, facts } = await resolvedRun(deps, id, request);
  // What a search is to find stands in the spec as no one's choice: there is nothing to warn of yet.
  const advice = {
    warnings: search === null ? requestWarnings(request, spec) : [],
    guessLoss: Math.log(facts.vocabSize),
  };
  if (search !== null) return createWithSearch(deps, id, spec, search, facts, origin, { advice, ...hook });
  return createRecord(deps.runs, deps.queue, id, spec, origin, {
    ...{ advice, cost: runCost(spec, facts), ...hook },
  });
}

/** What would be created; throws a ProblemError that names the fields of the request. `search`: what the run waits for. */
export async function resolvedRun(
  deps: Pick<CreateRunDeps, "runs" | "datasets">,
  id: string,
  request: RunRequest,
): Promise<{ readonly spec: RunSpec; readonly search: SearchSpec | null; readonly facts: DatasetFacts }> {
  const { from } = request;
  if (from !== undefined) return { ...(await resolvedFork(deps, { ...request, from })), search: null };
  refuseLate(request.budget);
  const facts = await datasetFacts(deps.datasets, request.dataset);
  if (!isOpen(request.schedule)) return { spec: resolved(request, facts), search: null, facts };
  // Until the search has answered, some schedule stands in the spec, which nobody is shown.
  const asked = request.schedule as "auto" | ScheduleRequest;
  const schedule = asked === "auto" ? asked : substituteRate(asked, (request.lrRange ?? DEFAULT_LR_RANGE)[1]);
  const spec = resolved({ ...request, schedule }, facts);
  const search = autoSearch(spec, id, request, facts);
  if (!search.ok) throw invalidRequest(search.errors);
  return { spec, search: search.value, facts };
}

/** "auto": the run waits for a search. */
async function createWithSearch(
  { runs, searches, searchQueue }: CreateRunDeps,
  id: string,
  spec: RunSpec,
  search: SearchSpec,
  facts: DatasetFacts,
  origin: Origin,
  options: { readonly advice: Advice; readonly webhook?: Webhook },
): Promise<RunRecord> {
  const searchId = idOf("search", id);
  // The search first: without its run it does no harm, while the run would wait for ever without its search.
  await createRecord(searches, null, searchId, search, origin, { cost: searchCost(search, facts) });
  const run = await createRecord(runs, null, id, spec, origin, {
    ...{ waitsFor: searchId, cost: runCost(spec, facts), ...options },
  });
  void enqueue(searchQueue, searchId, origin.log);
  return run;
}

function resolved(request: RunRequest, facts: DatasetFacts) {
  const result = resolveRun(request, facts, randomInt(LIMITS.seed));
  if (!result.ok) throw invalidRequest(result.errors);
  return result.value;
}
