import { LIMITS } from "../schemas/limits.js";
import type { FieldError } from "../schemas/problem.js";
import type { RunRequest, RunSpec } from "../schemas/run.js";
import type { ScheduleRequest } from "../schemas/schedule.js";
import { parameterCount } from "./model.js";
import { checkCost, type DatasetFacts, resolveStop, scheduleOver } from "./resolve.js";
import { invalid, ok, type Result } from "./result.js";

/** A checkpoint to go on from. */
export interface ForkPoint {
  readonly run: string;
  /** Steps done. */
  readonly step: number;
  /** Of the run that it belongs to. */
  readonly spec: RunSpec;
}

/** What the checkpoint's bytes depend on. */
const INHERITED = ["model", "dataset", "datasetLimit", "optimizer", "replicas", "engine", "exact"] as const;

/**
 * The spec of a run that goes on from a checkpoint of another. Without a schedule of its own it continues the other run's, so
 * that nothing but what the request changes is different: a fork that changes nothing gives the other run's bytes.
 */
export function resolveFork(request: RunRequest, point: ForkPoint, dataset: DatasetFacts): Result<RunSpec> {
  const { step, spec: parent } = point;
  const errors: FieldError[] = [];
  for (const name of INHERITED) {
    if (request[name] !== undefined) errors.push({ pointer: `/${name}`, expected: "nothing: a fork keeps its run's" });
  }
  const { steps } = request;
  const left = steps - step;
  if (left < 1) errors.push({ pointer: "/steps", expected: `more than the ${step} steps that are done at the fork` });
  if (request.lrRange !== undefined && request.schedule === undefined) {
    errors.push({
      pointer: "/lrRange",
      expected: "a schedule beside it; without one the other run's schedule goes on",
    });
  }
  const schedule =
    request.schedule === undefined
      ? ok(parent.schedule)
      : scheduleOver(request.schedule as ScheduleRequest, Math.max(1, left), request.lrRange);
  if (!schedule.ok) errors.push(...schedule.errors);
  const { model, replicas, optimizer, engine } = parent;
  const parameters = parameterCount(model, dataset.vocabSize) * replicas;
  if (parameters > LIMITS.forkParameters) {
    const expected = `a run of at most ${LIMITS.forkParameters} parameters in all, not ${parameters}: a fork copies its state`;
    errors.push({ pointer: "/from/run", expected });
  }
  const batchSize = request.batchSize ?? parent.batchSize;
  const checkpointEvery = request.checkpointEvery ?? 0;
  const evalEvery = request.evalEvery ?? parent.evalEvery;
  const { limit } = parent.dataset;
  const cost = { model, optimizer, engine, replicas, batchSize, limit, from: step, steps, checkpointEvery, evalEvery };
  errors.push(...checkCost(cost, dataset));
  if (errors.length > 0 || !schedule.ok) return invalid(...errors);

  const scheduleFrom = request.schedule === undefined ? (parent.from?.scheduleFrom ?? 0) : step;
  const { budget: _, ...kept } = parent;
  return ok({
    ...kept,
    ...(request.budget === undefined ? {} : { budget: request.budget }),
    steps,
    batchSize,
    schedule: schedule.value,
    seed: request.seed ?? parent.seed,
    evalEvery,
    checkpointEvery,
    from: { run: point.run, step, scheduleFrom },
    stopOnDivergence:
      request.stopOnDivergence === undefined ? parent.stopOnDivergence : resolveStop(request.stopOnDivergence),
    name: request.name ?? null,
    labels: request.labels ?? [],
  });
}
