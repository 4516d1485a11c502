import type { EngineOptions } from "../../../src/core/engine.js";
import { tensors } from "../../../src/core/model.js";

/**
 * The slow obvious twin of one step's loss and gradient, in float64, scalar by scalar.
 * `rows`: example indices of the batch. Gradients are flat, in the order of model.ts's tensors().
 */
export function lossAndGradient(options: EngineOptions, parameters: Float32Array, rows: ArrayLike<number>) {
  const { model, vocabSize, splits } = options;
  const { contextLength, embeddingDim } = model;
  const [embedding, ...rest] = tensors(model, vocabSize);
  const layers = rest.filter((_, i) => i % 2 === 0).map((weight, i) => ({ weight, bias: rest[2 * i + 1]! }));
  const gradient = new Float64Array(parameters.length);
  let loss = 0;
  for (let r = 0; r < rows.length; r++) {
    const context = splits.train.contexts.subarray(rows[r]! * contextLength, (rows[r]! + 1) * contextLength);
    const target = splits.train.targets[rows[r]!]!;
    const outputs: number[][] = [[]];
    for (const symbol of context) {
      for (let e = 0; e < embeddingDim; e++)
        outputs[0]!.push(parameters[embedding!.offset + symbol * embeddingDim + e]!);
    }
    for (const [l, { weight, bias }] of layers.entries()) {
      const x = outputs[l]!;
      const out = Array.from({ length: bias.size }, (_, n) => {
        const sum = x.reduce(
          (s, v, k) => s + v * parameters[weight.offset + k * bias.size + n]!,
          parameters[bias.offset + n]!,
        );
        return l + 1 === layers.length ? sum : model.activation === "tanh" ? Math.tanh(sum) : Math.max(0, sum);
      });
      outputs.push(out);
    }
    const logits = outputs.at(-1)!;
    const top = Math.max(...logits);
    const total = logits.reduce((s, z) => s + Math.exp(z - top), 0);
    loss += (Math.log(total) + top - logits[target]!) / rows.length;
    let delta = logits.map((z, n) => (Math.exp(z - top) / total - Number(n === target)) / rows.length);
    for (let l = layers.length - 1; l >= 0; l--) {
      const { weight, bias } = layers[l]!;
      const x = outputs[l]!;
      for (const [n, d] of delta.entries()) gradient[bias.offset + n]! += d;
      const before = x.map((value, k) => {
        let back = 0;
        for (let n = 0; n < delta.length; n++) {
          gradient[weight.offset + k * bias.size + n]! += value * delta[n]!;
          back += parameters[weight.offset + k * bias.size + n]! * delta[n]!;
        }
        if (l === 0) return back;
        return model.activation === "tanh" ? back * (1 - value * value) : value > 0 ? back : 0;
      });
      delta = before;
    }
    for (const [i, d] of delta.entries()) {
      const at = embedding!.offset + context[Math.floor(i / embeddingDim)]! * embeddingDim + (i % embeddingDim);
      gradient[at]! += d;
    }
  }
  return { loss, gradient };
}
