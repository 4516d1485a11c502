import { BOUNDARY } from "./dataset.js";
import { createForward, type ForwardOptions } from "./forward.js";
import { Rng, STREAM } from "./rng.js";

export interface SamplingOptions extends ForwardOptions {
  /** symbols[0] is the boundary mark. */
  readonly symbols: readonly string[];
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
