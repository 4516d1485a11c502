import { readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { parseDataset, splitExamples } from "../../src/core/dataset.js";
import type { EngineOptions } from "../../src/core/engine.js";
import { atOnce } from "../../src/core/evaluation.js";
import { initialParameters } from "../../src/core/model.js";
import { createNativeKernel } from "../../src/engine/kernel/native.js";
import type { ModelSpec } from "../../src/schemas/model.js";

/** One training: the rate of each step. */
export interface Job {
  readonly index: number;
  readonly init: ModelSpec["init"];
  readonly seed: number;
  readonly lr: Float64Array;
  /** Whether to give the validation loss of the trained model, or the minibatch losses. */
  readonly validate: boolean;
}

export interface JobResult {
  readonly index: number;
  /** Minibatch losses, up to the last finite one; empty when validating. */
  readonly loss: Float32Array;
  /** null: it diverged. */
  readonly validationLoss: number | null;
}

const dataset = parseDataset(readFileSync(new URL("../../../src/store/datasets/names.txt", import.meta.url), "utf8"));
const splits = splitExamples(dataset, 3);
const vocabSize = dataset.symbols.length;

function run(job: Job): JobResult {
  const model: ModelSpec = {
    contextLength: 3,
    embeddingDim: 10,
    hiddenSizes: [200],
    activation: "tanh",
    init: job.init,
  };
  const options: EngineOptions = {
    model,
    vocabSize,
    batchSize: 32,
    optimizer: { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 },
    seed: job.seed,
    splits,
    parameters: initialParameters(model, vocabSize, job.seed),
  };
  const engine = createNativeKernel(options);
  try {
    const loss = new Float32Array(job.lr.length);
    const ran = engine.steps({ lr: job.lr }, loss);
    const finite = ran > 0 && !Number.isFinite(loss[ran - 1]) ? ran - 1 : ran;
    if (!job.validate) return { index: job.index, loss: loss.slice(0, finite), validationLoss: null };
    const validationLoss = finite === job.lr.length ? atOnce(engine.evaluation("validation")) : Number.NaN;
    return {
      index: job.index,
      loss: new Float32Array(),
      validationLoss: Number.isFinite(validationLoss) ? validationLoss : null,
    };
  } finally {
    engine.dispose();
  }
}

parentPort!.on("message", (job: Job) => parentPort!.postMessage(run(job)));
