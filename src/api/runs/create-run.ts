import { randomInt } from "node:crypto";
import { runCost, searchCost } from "../../core/estimate.js";
import { parameterCount } from "../../core/model.js";
import { type DatasetFacts, DEFAULT_LR_RANGE, resolveRun } from "../../core/resolve.js";
import { autoSearch, isOpen } from "../../core/resolve-search.js";
import { substituteRate } from "../../core/schedules/auto-rate.js";
import { requestWarnings } from "../../core/warnings.js";
import { LIMITS } from "../../schemas/limits.js";
import { type FieldError, ProblemError } from "../../schemas/problem.js";
import type { RunRequest, RunSpec } from "../../schemas/run.js";
import type { ScheduleRequest } from "../../schemas/schedule.js";
import type { SearchSpec } from "../../schemas/search.js";
import type { DatasetFinder } from "../../store/built-in-dataset.js";
import type { Creation, Fleet, RunRecord, SearchRecord } from "../../store/contract.js";
import { datasetFacts } from "../datasets/dataset-facts.js";
import { invalidRequest } from "../http/problems.js";
import { idOf, idsFrom, newId } from "../ids.js";
import { createTurns } from "../model/in-turns.js";
import { webhookOption } from "../webhooks/webhook-option.js";
import { type Creating, createRecords, enqueue, type Origin, type Producer, refuseLate } from "./create-record.js";
import { requireEngines } from "./engine-there.js";
import { type ForkDeps, resolvedFork } from "./fork-run.js";

export interface CreateRunDeps extends ForkDeps {
  readonly searches: Creating<SearchSpec, SearchRecord>;
  readonly searchQueue: Producer;
  readonly fleet: Pick<Fleet, "workers">;
}

/** What one request asks for: a run, and the search that it waits for. */
interface Planned {
  readonly run: Creation<RunSpec>;
  /** Trainable numbers of one replica. */
  readonly parameters: number;
  readonly search: Creation<SearchSpec> | null;
}

const MOST_TRIES = 5;
const MOST_ERRORS = 100;

/** Stores a run, or a fork of one, and sees to its job. Throws a ProblemError when nothing was done. */
export async function createRun(deps: CreateRunDeps, request: RunRequest, origin: Origin): Promise<RunRecord> {
  const id = origin.recordId ?? newId("run", Date.now());
  await requireEngines(deps.fleet, [{ engine: request.engine ?? "auto", pointer: "/engine" }]);
  return (await create(deps, [request], async () => [await planned(deps, id, request)], origin))[0]!;
}

/**
 * The same for several, all of them or none, in the order of the requests; the first has the id that there may be for the
 * record. A ProblemError's pointers begin with the request's index.
 */
export async function createRuns(
  deps: CreateRunDeps,
  requests: readonly RunRequest[],
  origin: Origin,
): Promise<RunRecord[]> {
  const ids = idsFrom(origin.recordId ?? newId("run", Date.now()), requests.length);
  await requireEngines(
    deps.fleet,
    requests.map(({ engine = "auto" }, i) => ({ engine, pointer: `/${i}/engine` })),
  );
  return create(deps, requests, () => allPlanned(deps, ids, requests), origin);
}

async function create(
  deps: CreateRunDeps,
  requests: readonly RunRequest[],
  plan: () => Promise<Planned[]>,
  origin: Origin,
): Promise<RunRecord[]> {
  // A run that trains may move on between the look at its latest checkpoint and the copy of it.
  const mayMove = requests.some(({ from }) => from !== undefined && from.step === undefined);
  for (let tries = 1; ; tries++) {
    const plans = await plan();
    const searches = plans.flatMap(({ search }) => search ?? []);
    // The searches first: without its run one does no harm, while a run would wait for ever without its search.
    if (searches.length > 0) await createRecords(deps.searches, null, searches, origin);
    try {
      const runs = await createRecords(
        deps.runs,
        deps.queue,
        plans.map(({ run }) => run),
        origin,
      );
      const ids = searches.map(({ id }) => id);
      if (ids.length > 0) void enqueue(deps.searchQueue, ids, origin.log);
      return runs;
    } catch (error) {
      const moved = error instanceof ProblemError && error.code === "conflict" && mayMove;
      if (!moved || tries === MOST_TRIES) throw error;
    }
  }
}

async function planned(deps: CreateRunDeps, id: string, request: RunRequest): Promise<Planned> {
  const { spec, search, facts, fork } = await resolvedRun(deps, id, request);
  // What a search is to find stands in the spec as no one's choice: there is nothing to warn of yet.
  const warnings = search === null ? requestWarnings(request, spec) : [];
  const advice = { warnings, guessLoss: Math.log(facts.vocabSize) };
  const run = { id, spec, advice, cost: runCost(spec, facts), ...webhookOption(request), ...(fork && { fork }) };
  const parameters = parameterCount(spec.model, facts.vocabSize);
  if (search === null) return { run, parameters, search };
  const searchId = idOf("search", id);
  return {
    run: { ...run, waitsFor: searchId },
    parameters,
    search: { id: searchId, spec: search, cost: searchCost(search, facts) },
  };
}

/** In turns with other work. What is wrong is said of all together. */
async function allPlanned(
  deps: CreateRunDeps,
  ids: readonly string[],
  requests: readonly RunRequest[],
): Promise<Planned[]> {
  const turn = createTurns();
  const found = new Map<string, ReturnType<DatasetFinder["get"]>>();
  const get = (name: string) => {
    const entry = found.get(name) ?? deps.datasets.get(name);
    found.set(name, entry);
    return entry;
  };
  const plans: Planned[] = [];
  const errors: FieldError[] = [];
  let copied = 0;
  for (const [i, request] of requests.entries()) {
    await turn();
    try {
      const plan = await planned({ ...deps, datasets: { get } }, ids[i]!, request);
      plans.push(plan);
      if (plan.run.fork !== undefined) copied += plan.run.spec.replicas * plan.parameters;
      if (copied > LIMITS.forkParameters) {
        const expected = `forks of at most ${LIMITS.forkParameters} parameters in all: they copy their states`;
        throw invalidRequest([{ pointer: "/from", expected }]);
      }
    } catch (error) {
      if (!(error instanceof ProblemError) || error.errors === undefined) throw error;
      errors.push(...error.errors.map((each) => ({ ...each, pointer: `/${i}${each.pointer}` })));
      if (errors.length >= MOST_ERRORS) break;
    }
  }
  if (errors.length > 0) throw invalidRequest(errors);
  return plans;
}

/** What would be created; throws a ProblemError that names the fields of the request. `search`: what the run waits for. */
export async function resolvedRun(
  deps: Pick<CreateRunDeps, "runs" | "datasets">,
  id: string,
  request: RunRequest,
): Promise<{
  readonly spec: RunSpec;
  readonly search: SearchSpec | null;
  readonly facts: DatasetFacts;
  readonly fork?: Creation<RunSpec>["fork"];
}> {
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

function resolved(request: RunRequest, facts: DatasetFacts) {
  const result = resolveRun(request, facts, randomInt(LIMITS.seed));
  if (!result.ok) throw invalidRequest(result.errors);
  return result.value;
}
