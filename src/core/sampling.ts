import type { ModelSpec } from "../schemas/model.js";
import { BOUNDARY } from "./dataset.js";
import { layerWidths, tensors } from "./model.js";
import { Rng, STREAM } from "./rng.js";

export interface SamplingOptions {
  readonly model: ModelSpec;
  /** symbols[0] is the boundary mark. */
  readonly symbols: readonly string[];
  /** Flat, in the order of model.ts's tensors(). */
  readonly parameters: Float32Array;
  readonly count: number;
  /** Divides the logits: below 1 the likely becomes likelier. Above 0. */
  readonly temperature: number;
  /** 32-bit. */
  readonly seed: number;
  /** Symbols after which a word is cut off. */
  readonly longest: number;
}

/**
 * Draws words from a trained model, symbol by symbol from the softmax of its logits, in f64: the same options give the same
 * words. Yields after each symbol, with the word where one is finished, so that a caller with other work can take turns.
 */
export function* sampleWords(options: SamplingOptions): Generator<string | null> {
  const { model, symbols, count, temperature, seed, longest } = options;
  const logitsOf = createForward(options);
  const rng = new Rng(seed, STREAM.sample);
  for (let i = 0; i < count; i++) {
    const context = new Uint8Array(model.contextLength);
    let word = "";
    for (let length = 0; length < longest; length++) {
      const symbol = draw(logitsOf(context), temperature, rng.uniform());
      if (symbols[symbol] === BOUNDARY) break;
      word += symbols[symbol];
      context.copyWithin(0, 1);
      context[model.contextLength - 1] = symbol;
      yield null;
    }
    yield word;
  }
}

/** (contextLength) symbols -> (vocab) logits; the array is used again by the next call. */
function createForward({ model, symbols, parameters }: SamplingOptions): (context: Uint8Array) => Float64Array {
  const all = tensors(model, symbols.length);
  const widths = layerWidths(model, symbols.length);
  const rows = widths.map((width) => new Float64Array(width));
  const { embeddingDim, activation } = model;
  return (context) => {
    const input = rows[0]!;
    for (let i = 0; i < input.length; i++) {
      input[i] = parameters[context[Math.floor(i / embeddingDim)]! * embeddingDim + (i % embeddingDim)]!;
    }
    for (let layer = 1; layer < rows.length; layer++) {
      const [below, output] = [rows[layer - 1]!, rows[layer]!];
      const [weight, bias] = [all[2 * layer - 1]!, all[2 * layer]!];
      output.set(parameters.subarray(bias.offset, bias.offset + bias.size));
      for (let i = 0; i < below.length; i++) {
        const row = weight.offset + i * output.length;
        for (let j = 0; j < output.length; j++) output[j]! += below[i]! * parameters[row + j]!;
      }
      if (layer === rows.length - 1) return output;
      for (let j = 0; j < output.length; j++) {
        output[j] = activation === "tanh" ? Math.tanh(output[j]!) : Math.max(output[j]!, 0);
      }
    }
    throw new RangeError("a model has at least one layer");
  };
}

/** The index that `uniform` in [0, 1) falls on in softmax(logits / temperature). */
function draw(logits: Float64Array, temperature: number, uniform: number): number {
  const greatest = logits.reduce((a, b) => Math.max(a, b));
  const weights = logits.map((logit) => Math.exp((logit - greatest) / temperature));
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]!;
    if (left < 0) return i;
  }
  return weights.length - 1;
}
