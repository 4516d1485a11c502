import * as tf from "@tensorflow/tfjs-core";
import type { ModelSpec } from "../../schemas/model.js";

/** A block of examples. */
export interface Rows {
  /** (rows * contextLength) symbol indices, int32. */
  readonly symbols: tf.Tensor1D;
  /** (rows, vocab) one at each target. */
  readonly targets: tf.Tensor2D;
}

/** What the backward pass needs of the forward pass. */
export interface Pass {
  /** Each layer's input: (rows, contextLength * embeddingDim), then the hidden activations (rows, width). */
  readonly inputs: readonly tf.Tensor2D[];
  /** (rows, vocab) softmax of the logits. */
  readonly probabilities: tf.Tensor2D;
  /** (rows, 1) cross-entropy in nats. */
  readonly losses: tf.Tensor2D;
}

/** `views`: the parameters in the order of model.ts's tensors(). */
export function forward(model: ModelSpec, views: readonly tf.Tensor[], rows: Rows): Pass {
  const width = model.contextLength * model.embeddingDim;
  const inputs: tf.Tensor2D[] = [tf.reshape(tf.gather(views[0]!, rows.symbols), [-1, width])];
  const layers = (views.length - 1) / 2;
  let sums!: tf.Tensor2D;
  for (let layer = 0; layer < layers; layer++) {
    const [weight, bias] = [views[1 + 2 * layer] as tf.Tensor2D, views[2 + 2 * layer] as tf.Tensor1D];
    sums = tf.fused.matMul({ a: inputs[layer]!, b: weight, bias }) as tf.Tensor2D;
    if (layer + 1 < layers) inputs.push(model.activation === "tanh" ? tf.tanh(sums) : tf.relu(sums));
  }
  // The greatest logit is taken out, so that no exponential overflows.
  const shifted = tf.sub(sums, tf.max(sums, 1, true)) as tf.Tensor2D;
  const exponentials = tf.exp(shifted);
  const normalizer = tf.sum(exponentials, 1, true) as tf.Tensor2D;
  const atTarget = tf.sum(tf.mul(shifted, rows.targets), 1, true);
  return { inputs, probabilities: tf.div(exponentials, normalizer), losses: tf.sub(tf.log(normalizer), atTarget) };
}

/** (parameters) gradient of the sum of the block's losses divided by `batchSize`. */
export function backward(
  model: ModelSpec,
  views: readonly tf.Tensor[],
  rows: Rows,
  pass: Pass,
  batchSize: number,
): tf.Tensor1D {
  const gradients: tf.Tensor[] = [];
  let delta: tf.Tensor2D = tf.div(tf.sub(pass.probabilities, rows.targets), batchSize);
  // Transposed by hand: the wasm backend's fast product takes no transposed operand.
  for (let layer = pass.inputs.length - 1; layer >= 0; layer--) {
    const input = pass.inputs[layer]!;
    gradients.unshift(tf.matMul(tf.transpose(input), delta), tf.sum(delta, 0));
    const below: tf.Tensor2D = tf.matMul(delta, tf.transpose(views[1 + 2 * layer] as tf.Tensor2D));
    if (layer === 0) delta = below;
    else if (model.activation === "tanh") delta = tf.mul(below, tf.sub(1, tf.square(input)));
    else delta = tf.mul(below, tf.cast(tf.greater(input, 0), "float32"));
  }
  const [vocabSize] = views[0]!.shape as [number, number];
  const perSymbol = tf.reshape(delta, [-1, model.embeddingDim]);
  const embedding = tf.scatterND(tf.reshape(rows.symbols, [-1, 1]), perSymbol, [vocabSize, model.embeddingDim]);
  return tf.concat1d([embedding, ...gradients].map((tensor) => tf.reshape(tensor, [-1])));
}
