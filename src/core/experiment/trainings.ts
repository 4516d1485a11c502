import type { ExperimentReport } from "../../schemas/experiment.js";
import { LIMITS } from "../../schemas/limits.js";
import type { RunSpec } from "../../schemas/run.js";
import type { ExperimentSpec, TrainingResult } from "../../schemas/stored-experiment.js";
import { type Outcome, reportExperiment } from "./report.js";

/** One arm with one seed; both are places in the experiment's lists. */
export interface Training {
  readonly arm: number;
  readonly seed: number;
}

/** What tells a training from the others of its experiment. */
export const nameOf = ({ seeds }: Pick<ExperimentSpec, "seeds">, { arm, seed }: Training) =>
  `arm-${arm}-${seeds[seed]}`;

/** All of them, seed by seed: so every arm is known with as many seeds as can be at any time. */
export function trainingsOf({ arms, seeds }: ExperimentSpec): Training[] {
  return seeds.flatMap((_, seed) => arms.map((_, arm) => ({ arm, seed })));
}

/** Those that its budget has room for, the first ones. */
export function affordable(spec: ExperimentSpec): Training[] {
  let steps = 0;
  return trainingsOf(spec).filter(({ arm }) => {
    steps += spec.arms[arm]!.run.steps;
    return steps <= (spec.budget ?? Number.POSITIVE_INFINITY);
  });
}

/** The run that a training is. Only the loss at its end is looked at. */
export function runOf({ arms, seeds }: ExperimentSpec, { arm, seed }: Training): RunSpec {
  const { run, seedOffset } = arms[arm]!;
  return { ...run, seed: (seeds[seed]! + seedOffset) % (LIMITS.seed + 1) };
}

/** What has been found with these results, in whatever order they came. `runId`: of a training. */
export function reportOf(
  spec: ExperimentSpec,
  results: readonly TrainingResult[],
  runId: (training: Training) => string,
): ExperimentReport {
  const { arms, seeds, baseline, confidence } = spec;
  const losses: Outcome[][] = arms.map(() => []);
  for (const { arm, seed, loss, failure } of results) if (failure === undefined) losses[arm]![seed] = loss;
  const reported = arms.map(({ name, request, seedOffset }, arm) => ({
    ...{ name, request, seedOffset },
    runs: seeds.map((_, seed) => runId({ arm, seed })),
  }));
  const stepsUsed = results.reduce((sum, { steps }) => sum + steps, 0);
  return reportExperiment(reported, losses, { seeds, baseline, confidence, stepsUsed });
}
