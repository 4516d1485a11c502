import { parentPort } from "node:worker_threads";
import { splitExamples } from "../../../src/core/dataset.js";
import type { EngineOptions } from "../../../src/core/engine.js";
import { atOnce } from "../../../src/core/evaluation.js";
import { initialParameters } from "../../../src/core/model.js";
import { train } from "../../../src/core/train.js";
import { createNativeKernel } from "../../../src/engine/kernel/native.js";
import type { RunSpec } from "../../../src/schemas/run.js";
import { dataOf, type Setting } from "./settings.js";

export interface Job {
  readonly index: number;
  readonly spec: RunSpec;
}

export interface JobResult {
  readonly index: number;
  /** Validation, nats; null: it diverged. */
  readonly loss: number | null;
}

const prepared = new Map<string, Pick<EngineOptions, "vocabSize" | "splits">>();

function examplesOf({ dataset: { name }, model: { contextLength } }: RunSpec) {
  const key = `${name} ${contextLength}`;
  if (!prepared.has(key)) {
    const { dataset, facts } = dataOf({ data: name as Setting["data"] });
    prepared.set(key, { vocabSize: facts.vocabSize, splits: splitExamples(dataset, contextLength) });
  }
  return prepared.get(key)!;
}

function lossOf(spec: RunSpec): number | null {
  const { vocabSize, splits } = examplesOf(spec);
  const { model, batchSize, optimizer, seed } = spec;
  const parameters = initialParameters(model, vocabSize, seed);
  const engine = createNativeKernel({ model, vocabSize, batchSize, optimizer, seed, splits, parameters });
  try {
    for (const progress of train(spec, engine, null, () => performance.now())) {
      if (progress?.state.diverged) return null;
    }
    const loss = atOnce(engine.evaluation("validation"));
    return Number.isFinite(loss) ? loss : null;
  } finally {
    engine.dispose();
  }
}

parentPort!.on("message", ({ index, spec }: Job) => {
  parentPort!.postMessage({ index, loss: lossOf(spec) } satisfies JobResult);
});
