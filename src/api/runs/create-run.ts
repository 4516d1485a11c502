import { randomInt } from "node:crypto";
import { type DatasetFacts, DEFAULT_LR_RANGE, resolveRun } from "../../core/resolve.js";
import { autoSearch, isOpen } from "../../core/resolve-search.js";
import { substituteRate } from "../../core/schedules/auto-rate.js";
import { LIMITS } from "../../schemas/limits.js";
import type { RunRequest } from "../../schemas/run.js";
import type { ScheduleRequest } from "../../schemas/schedule.js";
import type { RunRecord, SearchStore } from "../../store/contract.js";
import { datasetFacts } from "../datasets/dataset-facts.js";
import { invalidRequest } from "../http/problems.js";
import { newId } from "../ids.js";
import { createRecord, enqueue, type Origin, type Producer } from "./create-record.js";
import { type ForkDeps, forkRun } from "./fork-run.js";

export interface CreateRunDeps extends ForkDeps {
  readonly searches: Pick<SearchStore, "create" | "cancel" | "delete">;
  readonly searchQueue: Producer;
}

/** Stores a run, or a fork of one, and sees to its job. Throws a ProblemError when nothing was done. */
export async function createRun(deps: CreateRunDeps, request: RunRequest, origin: Origin): Promise<RunRecord> {
  const id = newId("run", Date.now());
  const { from } = request;
  if (from !== undefined) return forkRun(deps, id, { ...request, from }, origin);
  const facts = await datasetFacts(deps.datasets, request.dataset);
  if (isOpen(request.schedule)) return createWithSearch(deps, id, request, facts, origin);
  return createRecord(deps.runs, deps.queue, id, resolved(request, facts), origin);
}

/** "auto": the run waits for a search; until then some schedule stands in its spec, which nobody is shown. */
async function createWithSearch(
  { runs, searches, searchQueue }: CreateRunDeps,
  id: string,
  request: RunRequest,
  facts: DatasetFacts,
  origin: Origin,
): Promise<RunRecord> {
  const asked = request.schedule as "auto" | ScheduleRequest;
  const schedule = asked === "auto" ? asked : substituteRate(asked, (request.lrRange ?? DEFAULT_LR_RANGE)[1]);
  const spec = resolved({ ...request, schedule }, facts);
  const search = autoSearch(spec, id, request, facts);
  if (!search.ok) throw invalidRequest(search.errors);
  const searchId = newId("search", Date.now());
  // The search first: without its run it does no harm, while the run would wait for ever without its search.
  await createRecord(searches, null, searchId, search.value, origin);
  const run = await createRecord(runs, null, id, spec, origin, { waitsFor: searchId });
  void enqueue(searchQueue, searchId, origin.log);
  return run;
}

function resolved(request: RunRequest, facts: DatasetFacts) {
  const result = resolveRun(request, facts, randomInt(LIMITS.seed));
  if (!result.ok) throw invalidRequest(result.errors);
  return result.value;
}
