import type { ArmRequest, ExperimentRequest } from "../../schemas/experiment.js";
import { LIMITS } from "../../schemas/limits.js";
import type { FieldError } from "../../schemas/problem.js";
import type { RunSpec } from "../../schemas/run.js";
import type { ExperimentSpec } from "../../schemas/stored-experiment.js";
import { stepCost } from "../cost.js";
import { type DatasetFacts, resolveRun } from "../resolve.js";
import { invalid, ok, type Result } from "../result.js";
import { autoRatePaths } from "../schedules/auto-rate.js";
import { expandExperiment } from "./expand.js";

/** The dataset of all arms, and where the request names it. */
export function datasetOf({ specs, base, grid }: ExperimentRequest): { name: string | undefined; pointer: string } {
  const varied = grid?.dataset?.[0];
  if (typeof varied === "string") return { name: varied, pointer: "/grid/dataset/0" };
  if (specs !== undefined) return { name: specs[0]!.dataset, pointer: "/specs/0/dataset" };
  return { name: base?.dataset, pointer: "/base/dataset" };
}

/** Spells out every default of an experiment's request. `shapeErrors`: what ArmRequestSchema says of an arm. */
export function resolveExperiment(
  request: ExperimentRequest,
  dataset: DatasetFacts,
  shapeErrors: (arm: ArmRequest) => readonly FieldError[],
): Result<ExperimentSpec> {
  const runs = new Map<ArmRequest, RunSpec>();
  const check = (arm: ArmRequest): readonly FieldError[] => {
    const errors = [...shapeErrors(arm)];
    if (errors.length === 0) errors.push(...leftOpen(arm));
    if (errors.length > 0) return errors;
    const resolved = resolveRun(arm, dataset, 0);
    if (!resolved.ok) return resolved.errors;
    runs.set(arm, { ...resolved.value, evalEvery: 0, checkpointEvery: 0 });
    return [];
  };
  const expanded = expandExperiment(request, check);
  if (!expanded.ok) return expanded;
  const { seeds, baseline, confidence } = expanded.value;
  const arms = expanded.value.arms.map(({ name, seedOffset, request }) => ({
    ...{ name, seedOffset, request },
    run: runs.get(request)!,
  }));
  const each = arms.reduce((sum, { run }) => sum + stepCost(run, dataset).multiplyAdds * run.steps, 0);
  if (each * seeds.length > LIMITS.multiplyAddsPerRun) {
    const most = Math.floor(LIMITS.multiplyAddsPerRun / each);
    return invalid({ pointer: "/seeds", expected: `at most ${most} seeds with arms of this cost, or fewer steps` });
  }
  const { metric = "validationLoss", name = null, labels = [] } = request;
  return ok({ arms, seeds: [...seeds], baseline, metric, confidence, name, labels });
}

/** An experiment trains what it is told. */
function leftOpen({ schedule }: ArmRequest): FieldError[] {
  if (schedule === undefined) return [];
  const expected = (what: string) =>
    `${what}: an experiment compares what is given; "auto" is found by POST /v1/searches`;
  if (schedule === "auto") return [{ pointer: "/schedule", expected: expected("a schedule") }];
  return autoRatePaths(schedule).map((path) => ({ pointer: `/schedule${path}`, expected: expected("a number") }));
}
