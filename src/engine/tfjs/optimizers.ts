import * as tf from "@tensorflow/tfjs-core";
import type { OptimizerOf, OptimizerSpec, OptimizerType } from "../../schemas/optimizers.js";

/** One update; see reference-optimizers.ts, which is the same in scalars. */
export interface Update {
  readonly parameters: tf.Tensor1D;
  readonly gradient: tf.Tensor1D;
  readonly slots: readonly tf.Tensor1D[];
  readonly step: number;
  readonly lr: number;
  readonly momentum: number;
  readonly started: boolean;
}

/** The rule of every type, so that a type without one does not compile. */
const RULES: { readonly [T in OptimizerType]: (spec: OptimizerOf<T>, update: Update) => tf.Tensor1D[] } = {
  sgd,
  adam,
  adamw: adam,
  rmsprop,
  lion,
};

/** [new parameters, ...new slots], none of them shared with the old ones. Call inside tidy. */
export function updated(optimizer: OptimizerSpec, update: Update): tf.Tensor1D[] {
  const rule = RULES[optimizer.type] as (spec: OptimizerSpec, update: Update) => tf.Tensor1D[];
  return rule(optimizer, update);
}

/** gradient + weightDecay * parameters. */
function decayed({ gradient, parameters }: Update, weightDecay: number): tf.Tensor1D {
  return weightDecay === 0 ? gradient : plus(gradient, weightDecay, parameters);
}

function plus(a: tf.Tensor1D, factor: number, b: tf.Tensor1D): tf.Tensor1D {
  return tf.add(a, tf.mul(b, factor));
}

/** keep * mean + (1 - keep) * value. */
function average(mean: tf.Tensor1D, keep: number, value: tf.Tensor1D): tf.Tensor1D {
  return tf.add(tf.mul(mean, keep), tf.mul(value, 1 - keep));
}

function sgd(spec: OptimizerOf<"sgd">, update: Update): tf.Tensor1D[] {
  const { parameters, slots, lr, momentum, started } = update;
  const g = decayed(update, spec.weightDecay);
  if (momentum === 0) return [plus(parameters, -lr, g), slots[0]!.clone()];
  const buffer = started ? plus(tf.mul(slots[0]!, momentum), 1 - spec.dampening, g) : g.clone();
  return [plus(parameters, -lr, spec.nesterov ? plus(g, momentum, buffer) : buffer), buffer];
}

function adam(spec: OptimizerOf<"adam" | "adamw">, update: Update): tf.Tensor1D[] {
  const { parameters, slots, step, lr, momentum: beta1, gradient } = update;
  const decoupled = spec.type === "adamw";
  const g = decoupled ? gradient : decayed(update, spec.weightDecay);
  const mean = average(slots[0]!, beta1, g);
  const square = average(slots[1]!, spec.beta2, tf.square(g));
  const correction1 = 1 - beta1 ** (step + 1);
  const correction2 = Math.sqrt(1 - spec.beta2 ** (step + 1));
  const scale: tf.Tensor1D = tf.add(tf.div(tf.sqrt(square), correction2), spec.eps);
  const shrunk: tf.Tensor1D = decoupled ? tf.mul(parameters, 1 - lr * spec.weightDecay) : parameters;
  return [plus(shrunk, -lr / correction1, tf.div(mean, scale)), mean, square];
}

function rmsprop(spec: OptimizerOf<"rmsprop">, update: Update): tf.Tensor1D[] {
  const { parameters, slots, lr, momentum } = update;
  const g = decayed(update, spec.weightDecay);
  const square = average(slots[0]!, spec.alpha, tf.square(g));
  const mean = spec.centered ? average(slots[1]!, spec.alpha, g) : slots[1]!.clone();
  const variance: tf.Tensor1D = spec.centered ? tf.maximum(tf.sub(square, tf.square(mean)), 0) : square;
  const scaled: tf.Tensor1D = tf.div(g, tf.add(tf.sqrt(variance), spec.eps));
  const buffer = momentum > 0 ? tf.add<tf.Tensor1D>(tf.mul(slots[2]!, momentum), scaled) : slots[2]!.clone();
  return [plus(parameters, -lr, momentum > 0 ? buffer : scaled), square, mean, buffer];
}

function lion(spec: OptimizerOf<"lion">, update: Update): tf.Tensor1D[] {
  const { parameters, gradient, slots, lr, momentum: beta1 } = update;
  const direction = tf.sign<tf.Tensor1D>(average(slots[0]!, beta1, gradient));
  const shrunk: tf.Tensor1D = tf.mul(parameters, 1 - lr * spec.weightDecay);
  return [plus(shrunk, -lr, direction), average(slots[0]!, spec.beta2, gradient)];
}
