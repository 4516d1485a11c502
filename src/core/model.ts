import type { ModelSpec } from "../schemas/model.js";
import { Rng, STREAM } from "./rng.js";

/** One parameter tensor: row-major, at [offset, offset + size) of the flat parameter vector. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly [number] | readonly [number, number];
  readonly offset: number;
  readonly size: number;
}

/**
 * The parameter tensors in order: embedding (vocab, dim), then for each layer weight (fanIn, fanOut) and bias (fanOut);
 * the last layer gives the logits. Activations are rows, so a layer is `x @ weight + bias`.
 */
export function tensors(model: ModelSpec, vocabSize: number): Tensor[] {
  const result: Tensor[] = [];
  let offset = 0;
  const push = (name: string, shape: [number] | [number, number]) => {
    const size = shape[0] * (shape[1] ?? 1);
    result.push({ name, shape, offset, size });
    offset += size;
  };
  push("embedding", [vocabSize, model.embeddingDim]);
  const widths = layerWidths(model, vocabSize);
  for (let layer = 0; layer + 1 < widths.length; layer++) {
    push(`layers.${layer}.weight`, [widths[layer]!, widths[layer + 1]!]);
    push(`layers.${layer}.bias`, [widths[layer + 1]!]);
  }
  return result;
}

/** [contextLength * embeddingDim, ...hiddenSizes, vocabSize]: layer k maps width k to width k + 1. */
export function layerWidths(model: ModelSpec, vocabSize: number): number[] {
  return [model.contextLength * model.embeddingDim, ...model.hiddenSizes, vocabSize];
}

export function parameterCount(model: ModelSpec, vocabSize: number): number {
  const last = tensors(model, vocabSize).at(-1)!;
  return last.offset + last.size;
}

/** Multiply-adds of one example on its way to the logits; training costs three times as many. */
export function forwardCost(model: ModelSpec, vocabSize: number): number {
  const widths = layerWidths(model, vocabSize);
  return widths.slice(1).reduce((sum, width, i) => sum + width * widths[i]!, 0);
}

/**
 * Initial parameters from the seed. "raw": standard normal everywhere, as textbooks start.
 * "scaled": embedding standard normal; weights normal with deviation gain / sqrt(fanIn), gain 5/3 for tanh and sqrt(2) for
 * relu (Kaiming; the gains of torch.nn.init.calculate_gain); the logits' weights a further 0.1 of that with gain 1, so that
 * the first loss is near ln(vocab); biases zero.
 */
export function initialParameters(model: ModelSpec, vocabSize: number, seed: number): Float32Array {
  const rng = new Rng(seed, STREAM.init);
  const all = tensors(model, vocabSize);
  const parameters = new Float32Array(parameterCount(model, vocabSize));
  for (const [index, tensor] of all.entries()) {
    const isLogits = index >= all.length - 2;
    const deviation = initialDeviation(model, tensor, isLogits);
    if (deviation === 0) continue;
    for (let i = 0; i < tensor.size; i++) parameters[tensor.offset + i] = rng.normal() * deviation;
  }
  return parameters;
}

function initialDeviation(model: ModelSpec, tensor: Tensor, isLogits: boolean): number {
  if (model.init === "raw" || tensor.name === "embedding") return 1;
  if (tensor.shape.length === 1) return 0;
  const gain = isLogits ? 0.1 : model.activation === "tanh" ? 5 / 3 : Math.SQRT2;
  return gain / Math.sqrt(tensor.shape[0]);
}
