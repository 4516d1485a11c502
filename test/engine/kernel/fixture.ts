import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { EngineOptions, Examples } from "../../../src/core/engine.js";
import { initialParameters } from "../../../src/core/model.js";
import { Rng } from "../../../src/core/rng.js";
import type { ModelSpec } from "../../../src/schemas/model.js";
import type { OptimizerSpec } from "../../../src/schemas/optimizers.js";
import { ofEveryType } from "../problem.js";

/** The project's folder, from dist/test/engine/kernel. */
export const ROOT = new URL("../../../../", import.meta.url);
export const rootPath = (path: string) => fileURLToPath(new URL(path, ROOT));

export const SGD: OptimizerSpec = { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 };
export const RULES = ofEveryType([
  SGD,
  { type: "sgd", momentum: 0.9, dampening: 0, nesterov: true, weightDecay: 1e-3 },
  { type: "sgd", momentum: 0.8, dampening: 0.1, nesterov: false, weightDecay: 0 },
  { type: "adam", beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 1e-3 },
  { type: "adamw", beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.01 },
  { type: "rmsprop", alpha: 0.99, eps: 1e-8, momentum: 0, centered: false, weightDecay: 0 },
  { type: "rmsprop", alpha: 0.9, eps: 1e-5, momentum: 0.9, centered: true, weightDecay: 1e-3 },
]);

export interface Shape {
  readonly contextLength?: number;
  readonly embeddingDim?: number;
  readonly hiddenSizes?: number[];
  readonly activation?: ModelSpec["activation"];
  readonly vocabSize?: number;
  readonly batchSize?: number | "full";
  readonly optimizer?: OptimizerSpec;
  readonly count?: number;
}

/** A run over random examples: `count` to train on, fewer to validate on, none to test on. */
export function optionsOf(shape: Shape): EngineOptions {
  const { contextLength = 3, embeddingDim = 5, hiddenSizes = [17], activation = "tanh", vocabSize = 27 } = shape;
  const { batchSize = 32, optimizer = SGD, count = 150 } = shape;
  const model: ModelSpec = { contextLength, embeddingDim, hiddenSizes, activation, init: "scaled" };
  const rng = new Rng(7, 100);
  const examples = (size: number): Examples => ({
    count: size,
    contexts: Uint8Array.from({ length: size * contextLength }, () => rng.below(vocabSize)),
    targets: Uint8Array.from({ length: size }, () => rng.below(vocabSize)),
  });
  const splits = { train: examples(count), validation: examples(Math.ceil(count / 3)), test: examples(0) };
  const parameters = initialParameters(model, vocabSize, 3);
  return { model, vocabSize, batchSize, optimizer, seed: 0xfeed_beef, splits, parameters };
}

/** Widths that are no multiple of anything, batches of one and of all, every optimizer, several blocks of rows. */
export const ODD_SHAPES: readonly Shape[] = [
  { contextLength: 1, embeddingDim: 1, hiddenSizes: [1], batchSize: 1, vocabSize: 1 },
  { contextLength: 1, embeddingDim: 3, hiddenSizes: [5], batchSize: 3, vocabSize: 2, activation: "relu" },
  { contextLength: 5, embeddingDim: 17, hiddenSizes: [129, 3], batchSize: 5, vocabSize: 17 },
  { contextLength: 3, embeddingDim: 129, hiddenSizes: [17, 1, 5], batchSize: 17, vocabSize: 129, activation: "relu" },
  { contextLength: 16, embeddingDim: 1, hiddenSizes: [3, 5, 17, 129], batchSize: 129, vocabSize: 256, count: 300 },
  { contextLength: 8, embeddingDim: 16, hiddenSizes: [16, 32], batchSize: 256, vocabSize: 16 },
  { hiddenSizes: [100], embeddingDim: 2, batchSize: "full", count: 1 },
  ...RULES.map((optimizer): Shape => ({ hiddenSizes: [33, 20], batchSize: "full", count: 300, optimizer })),
];

/** A program's first line of `--version`, or null when it is not installed. */
export function versionOf(program: string): string | null {
  try {
    return execFileSync(program, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split(
      "\n",
    )[0]!;
  } catch {
    return null;
  }
}
