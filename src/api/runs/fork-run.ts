import type { DatasetFacts } from "../../core/resolve.js";
import { resolveFork } from "../../core/resolve-fork.js";
import { autoRatePaths } from "../../core/schedules/auto-rate.js";
import { forkedState } from "../../core/train.js";
import type { RunRequest, RunSpec } from "../../schemas/run.js";
import type { DatasetFinder } from "../../store/built-in-dataset.js";
import type { CreateOptions, RunRecord } from "../../store/contract.js";
import { datasetFacts } from "../datasets/dataset-facts.js";
import { invalidRequest } from "../http/problems.js";
import { type Creating, type Producer, refuseLate } from "./create-record.js";
import { type Checkpoints, forkPoint } from "./fork-point.js";

export interface ForkDeps {
  readonly runs: Checkpoints & Creating<RunSpec, RunRecord>;
  readonly queue: Producer;
  readonly datasets: DatasetFinder;
}

export type ForkRequest = RunRequest & Required<Pick<RunRequest, "from">>;

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
