import { readEngineState } from "../../core/engine-state.js";
import { forwardCost, parameterCount } from "../../core/model.js";
import { sampleWords } from "../../core/sampling.js";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import type { RunSpec } from "../../schemas/run.js";
import { type DatasetFinder, findDataset } from "../../store/built-in-dataset.js";
import type { RunStore } from "../../store/contract.js";
import { existing } from "../http/existing.js";
import { invalidRequest } from "../http/problems.js";
import { noCheckpoint } from "../runs/fork-point.js";
import { createTurns } from "./in-turns.js";

export interface ReadModelDeps {
  readonly runs: Pick<RunStore, "get" | "keptSteps">;
  readonly models: Pick<RunStore, "checkpoint" | "checkpointAt">;
  readonly datasets: DatasetFinder;
}

/** A trained model. */
export interface TrainedModel {
  readonly spec: RunSpec;
  readonly engineBuild: string | null;
  /** The alphabet, in the model's order. */
  readonly symbols: readonly string[];
  /** Steps it has been trained for. */
  readonly step: number;
  readonly parameters: Float32Array;
}

/** The model in the checkpoint after `at` steps, or in the latest; of a run with replicas the first one's. */
export async function readModel(
  { runs, models, datasets }: ReadModelDeps,
  id: string,
  at: number | undefined,
): Promise<TrainedModel> {
  const record = await existing(runs, id);
  const checkpoint = await (at === undefined ? models.checkpoint(id) : models.checkpointAt(id, at));
  if (checkpoint === null) {
    if (at !== undefined) throw await noCheckpoint(runs, record, "/step");
    throw new ProblemError("conflict", "The run has no step yet");
  }
  const { spec, engineBuild } = record;
  const dataset = await findDataset(datasets, spec.dataset.name);
  if (dataset === null) throw new ProblemError("conflict", "The run's dataset is gone");
  const { symbols } = dataset.statistics;
  const { step } = checkpoint.loop;
  const { parameters } = readEngineState(checkpoint.engine, parameterCount(spec.model, symbols.length));
  return { spec, engineBuild, symbols, step, parameters };
}

export interface SamplesWanted {
  readonly count: number;
  readonly temperature: number;
  readonly seed: number;
}

/** Words made up by a model, in turns with other work; fewer once `isGone` says that nobody waits for them. */
export async function drawSamples(
  { spec, symbols, parameters, step }: TrainedModel,
  { count, temperature, seed }: SamplesWanted,
  isGone: () => boolean,
): Promise<string[]> {
  const perSample = forwardCost(spec.model, symbols.length) * LIMITS.sampleLength;
  const most = Math.max(1, Math.floor(LIMITS.multiplyAddsPerSamples / perSample));
  if (count > most) throw invalidRequest([{ pointer: "/count", expected: `at most ${most} of a model of this size` }]);
  if (!parameters.every(Number.isFinite)) {
    throw new ProblemError("conflict", `The model's numbers at step ${step} are not finite`);
  }
  const longest = LIMITS.sampleLength;
  const samples: string[] = [];
  const turn = createTurns();
  for (const word of sampleWords({ model: spec.model, symbols, parameters, count, temperature, seed, longest })) {
    if (word !== null) samples.push(word);
    const passed = turn();
    if (passed !== false && (await passed) && isGone()) break;
  }
  return samples;
}
