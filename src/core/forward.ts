import type { ModelSpec } from "../schemas/model.js";
import type { Examples } from "./engine.js";
import { meanInBlocks } from "./evaluation.js";
import { layerWidths, tensors } from "./model.js";

export interface ForwardOptions {
  readonly model: ModelSpec;
  readonly symbols: readonly unknown[];
  /** Flat, in the order of model.ts's tensors(). */
  readonly parameters: Float32Array;
}

/** A trained model in f64: (contextLength) symbols -> (vocab) logits; the array is used again by the next call. */
export function createForward({ model, symbols, parameters }: ForwardOptions): (context: Uint8Array) => Float64Array {
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

/** Mean cross-entropy over examples, nats, in f64; NaN where there are none. Yields after each example. */
export function meanLoss(
  options: ForwardOptions,
  { count, contexts, targets }: Examples,
): Generator<undefined, number> {
  const logitsOf = createForward(options);
  const { contextLength } = options.model;
  return meanInBlocks(count, 1, (i) => {
    const logits = logitsOf(contexts.subarray(i * contextLength, (i + 1) * contextLength));
    const greatest = logits.reduce((a, b) => Math.max(a, b));
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - greatest), 0);
    return greatest + Math.log(total) - logits[targets[i]!]!;
  });
}
