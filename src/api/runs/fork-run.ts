import { runCost } from "../../core/estimate.js";
import type { DatasetFacts } from "../../core/resolve.js";
import { resolveFork } from "../../core/resolve-fork.js";
import { autoRatePaths } from "../../core/schedules/auto-rate.js";
import { forkedState } from "../../core/train.js";
import { requestWarnings } from "../../core/warnings.js";
import { ProblemError } from "../../schemas/problem.js";
import type { RunRequest, RunSpec } from "../../schemas/run.js";
import type { DatasetFinder } from "../../store/built-in-dataset.js";
import type { CreateOptions, RunRecord } from "../../store/contract.js";
import { datasetFacts } from "../datasets/dataset-facts.js";
import { invalidRequest } from "../http/problems.js";
import { webhookOption } from "../webhooks/webhook-option.js";
import { type Creating, createRecord, type Origin, type Producer, refuseLate } from "./create-record.js";
import { type Checkpoints, forkPoint } from "./fork-point.js";

export interface ForkDeps {
  readonly runs: Checkpoints & Creating<RunSpec, RunRecord>;
  readonly queue: Producer;
  readonly datasets: DatasetFinder;
}

export type ForkRequest = RunRequest & Required<Pick<RunRequest, "from">>;

const MOST_TRIES = 5;

/** Stores a run that goes on from a checkpoint of another. Throws a ProblemError when nothing was done. */
export async function forkRun(
  { runs, queue, datasets }: ForkDeps,
  id: string,
  request: ForkRequest,
  origin: Origin,
): Promise<RunRecord> {
  // A run that trains may move on between the look at its latest checkpoint and the copy of it.
  for (let tries = 1; ; tries++) {
    const { spec, fork, facts } = await resolvedFork({ runs, datasets }, request);
    const advice = { warnings: requestWarnings(request, spec), guessLoss: Math.log(facts.vocabSize) };
    try {
      return await createRecord(runs, queue, id, spec, origin, {
        ...{ fork, advice, cost: runCost(spec, facts), ...webhookOption(request) },
      });
    } catch (error) {
      const moved = error instanceof ProblemError && error.code === "conflict" && request.from.step === undefined;
      if (!moved || tries === MOST_TRIES) throw error;
    }
  }
}

/** The fork that a request would make now; throws a ProblemError. */
export async function resolvedFork(
  { runs, datasets }: Pick<ForkDeps, "runs" | "datasets">,
  request: ForkRequest,
): Promise<{
  readonly spec: RunSpec;
  readonly facts: DatasetFacts;
  readonly fork: NonNullable<CreateOptions["fork"]>;
}> {
  refuseLate(request.budget);
  const { schedule } = request;
  const auto = schedule === "auto" ? [""] : schedule === undefined ? [] : autoRatePaths(schedule);
  if (auto.length > 0) {
    const expected = 'no "auto": it is found by training from the start';
    throw invalidRequest(auto.map((pointer) => ({ pointer: `/schedule${pointer}`, expected })));
  }
  const { run, loop } = await forkPoint(runs, request.from);
  const facts = await datasetFacts(datasets, run.spec.dataset.name);
  const resolved = resolveFork(request, { run: run.id, step: loop.step, spec: run.spec }, facts);
  if (!resolved.ok) throw invalidRequest(resolved.errors);
  const fork = { run: run.id, step: loop.step, loop: forkedState(resolved.value, run.spec, loop) };
  return { spec: resolved.value, facts, fork };
}
