import type { ArmRequest, ExperimentRequest } from "../../schemas/experiment.js";
import { LIMITS } from "../../schemas/limits.js";
import type { FieldError } from "../../schemas/problem.js";
import type { RunSpec } from "../../schemas/run.js";
import type { ExperimentSpec } from "../../schemas/stored-experiment.js";
import type { Warning } from "../../schemas/warning.js";
import { stepCost } from "../cost.js";
import { type DatasetFacts, resolveRun } from "../resolve.js";
import { deadlineOf, stepsIn } from "../resolve-search.js";
import { invalid, ok, type Result } from "../result.js";
import { autoRatePaths } from "../schedules/auto-rate.js";
import { requestWarnings } from "../warnings.js";
import { type Arm, expandExperiment, pointerInRequest } from "./expand.js";

/** The dataset of all arms, and where the request names it. */
export function datasetOf({ specs, base, grid }: ExperimentRequest): { name: string | undefined; pointer: string } {
  const varied = grid?.dataset?.[0];
  if (typeof varied === "string") return { name: varied, pointer: "/grid/dataset/0" };
  if (specs !== undefined) return { name: specs[0]!.dataset, pointer: "/specs/0/dataset" };
  return { name: base?.dataset, pointer: "/base/dataset" };
}

export interface ResolvedExperiment {
  readonly spec: ExperimentSpec;
  /** On arms that are valid, but surely meant otherwise; pointers are into the experiment's request. */
  readonly warnings: readonly Warning[];
}

/** Of more arms that are alike in this the first ones tell. */
const MOST_WARNINGS = 20;

/**
 * Spells out every default of an experiment's request. `shapeErrors`: what ArmRequestSchema says of an arm; `slowness`: seconds
 * that trainings take here, in those that are assumed.
 */
export function resolveExperiment(
  request: ExperimentRequest,
  dataset: DatasetFacts,
  shapeErrors: (arm: ArmRequest) => readonly FieldError[],
  slowness = 1,
): Result<ResolvedExperiment> {
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
  const { budget } = request;
  const limits = budget?.steps === undefined ? [] : [budget.steps];
  if (budget?.seconds !== undefined) {
    // All arms are trained as often as each other.
    const steps = arms.reduce((sum, { run }) => sum + run.steps, 0);
    const seconds = arms.reduce((sum, { run }) => sum + run.steps / stepsIn(1, run, dataset), 0);
    limits.push(Math.max(1, Math.floor((steps * budget.seconds) / (slowness * seconds))));
  }
  const cut = { ...(limits.length > 0 && { budget: Math.min(...limits) }), ...deadlineOf(budget) };
  const spec = { arms, seeds: [...seeds], baseline, metric, confidence, ...cut, name, labels };
  return ok({ spec, warnings: warningsOf(expanded.value.arms, runs) });
}

function warningsOf(arms: readonly Arm[], runs: ReadonlyMap<ArmRequest, RunSpec>): Warning[] {
  const found = new Map<string, Warning>();
  for (const { request, source } of arms) {
    for (const warning of requestWarnings(request, runs.get(request)!)) {
      const pointer = pointerInRequest(source, warning.pointer);
      found.set(`${pointer} ${warning.message}`, { ...warning, pointer });
    }
    if (found.size >= MOST_WARNINGS) break;
  }
  return [...found.values()].slice(0, MOST_WARNINGS);
}

/** An experiment trains what it is told. */
function leftOpen({ schedule }: ArmRequest): FieldError[] {
  if (schedule === undefined) return [];
  const expected = (what: string) =>
    `${what}: an experiment compares what is given; "auto" is found by POST /v1/searches`;
  if (schedule === "auto") return [{ pointer: "/schedule", expected: expected("a schedule") }];
  return autoRatePaths(schedule).map((path) => ({ pointer: `/schedule${path}`, expected: expected("a number") }));
}
