import { readFileSync } from "node:fs";
import type { EngineOptions, Examples } from "../../src/core/engine.js";
import { parameterCount } from "../../src/core/model.js";
import type { ModelSpec } from "../../src/schemas/model.js";
import type { OptimizerOf, OptimizerSpec } from "../../src/schemas/optimizers.js";

/** A problem made by the integer recipe of test/golden/engine.py. */
export interface Shape {
  hiddenSizes: number[];
  activation: "tanh" | "relu";
  vocabSize: number;
  contextLength: number;
  embeddingDim: number;
  examples: number;
}

export interface GoldenRun extends Shape {
  optimizer: OptimizerSpec;
  lr: number;
  steps: number;
  every: number;
  /** Momentum (beta1) of step i is cycle[i mod length]; null: the optimizer's own. */
  cycle: number[] | null;
  losses: number[];
  parameters: number[];
}

interface Golden {
  gradients: (Shape & { loss: number; gradient: number[] })[];
  trajectories: GoldenRun[];
  optimizers: GoldenRun[];
}

/** Tests run from dist/; the golden file stays beside its script. */
export const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/engine.json", import.meta.url), "utf8"),
) as Golden;

/** The given ones, and those of the golden cases of every type that is not among them. */
export function ofEveryType(specs: readonly OptimizerSpec[]): readonly OptimizerSpec[] {
  const isNew = ({ type }: OptimizerSpec) => specs.every((spec) => spec.type !== type);
  return [...specs, ...golden.optimizers.map(({ optimizer }) => optimizer).filter(isNew)];
}

export const SGD: OptimizerOf<"sgd"> = { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 };

function mixed(k: number): number {
  let x = Math.imul(k + 1, 2654435761);
  x ^= x >>> 15;
  x = Math.imul(x, 2246822519);
  return (x ^ (x >>> 13)) >>> 0;
}

export function problem(shape: Shape, changes: Partial<EngineOptions> = {}): EngineOptions {
  const { vocabSize, contextLength, embeddingDim, hiddenSizes, activation } = shape;
  const model: ModelSpec = { contextLength, embeddingDim, hiddenSizes, activation, init: "scaled" };
  const count = parameterCount(model, vocabSize);
  const parameters = Float32Array.from({ length: count }, (_, k) => (mixed(k) >>> 8) / 2 ** 24 - 0.5);
  const train = examples(shape, 0, shape.examples);
  const splits = { train, validation: examples(shape, shape.examples, 11), test: examples(shape, 0, 0) };
  return { model, vocabSize, batchSize: "full", optimizer: SGD, seed: 99, splits, parameters, ...changes };
}

/** `count` examples from the recipe, starting with the one of index `from`. */
function examples({ contextLength, vocabSize }: Shape, from: number, count: number): Examples {
  const contexts = new Uint8Array(count * contextLength);
  const targets = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = 1_000_000 + (from + i) * (contextLength + 1);
    for (let k = 0; k < contextLength; k++) contexts[i * contextLength + k] = mixed(at + k) % vocabSize;
    targets[i] = mixed(at + contextLength) % vocabSize;
  }
  return { count, contexts, targets };
}

/** The given examples of a table, in that order. */
export function picked(all: Examples, indices: Uint32Array): Examples {
  const contextLength = all.contexts.length / all.count;
  const rows = [...indices].map((i) => all.contexts.subarray(i * contextLength, (i + 1) * contextLength));
  return {
    count: indices.length,
    contexts: Uint8Array.from(rows.flatMap((row) => [...row])),
    targets: Uint8Array.from(indices, (i) => all.targets[i]!),
  };
}
