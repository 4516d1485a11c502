import type { RunSpec } from "../schemas/run.js";
import { forwardCost } from "./model.js";

/** Of one step, on one core of a present server with AVX2: what a call costs, and a multiply-add. An estimate, within about 3 x. */
const SECONDS = { perStep: 2e-6, perMultiplyAdd: 1.6e-11 } as const;

/** What one step costs, over all replicas: multiply-adds (three forward passes), and seconds of one core. */
export function stepCost(
  { model, batchSize, replicas, dataset }: Pick<RunSpec, "model" | "batchSize" | "replicas" | "dataset">,
  { vocabSize, trainExamples }: { readonly vocabSize: number; readonly trainExamples: number },
): { readonly multiplyAdds: number; readonly seconds: number } {
  const examples = batchSize === "full" ? Math.min(trainExamples, dataset.limit ?? trainExamples) : batchSize;
  const multiplyAdds = 3 * forwardCost(model, vocabSize) * examples * replicas;
  return { multiplyAdds, seconds: SECONDS.perStep * replicas + SECONDS.perMultiplyAdd * multiplyAdds };
}

/** What a run takes of one core, about, whatever its data are like: of what else it is made its spec says. */
export function roughSeconds(
  spec: Pick<RunSpec, "model" | "batchSize" | "replicas" | "dataset" | "steps" | "from">,
): number {
  return (spec.steps - (spec.from?.step ?? 0)) * stepCost(spec, { vocabSize: 64, trainExamples: 200_000 }).seconds;
}

/** Seconds of one core for that many evaluations of each split; of the words, a tenth are for validation and eight tenths for training. */
export function evaluationSeconds(
  { model, replicas, dataset }: Pick<RunSpec, "model" | "replicas" | "dataset">,
  { vocabSize, trainExamples }: { readonly vocabSize: number; readonly trainExamples: number },
  { validation, train }: { readonly validation: number; readonly train: number },
): number {
  const examples =
    validation * Math.ceil(trainExamples / 8) + train * Math.min(trainExamples, dataset.limit ?? trainExamples);
  return SECONDS.perMultiplyAdd * forwardCost(model, vocabSize) * examples * replicas;
}
