import { pow } from "../core/pow.js";
import type { OptimizerOf, OptimizerSpec, OptimizerType } from "../schemas/optimizers.js";

/** One update of all parameters, element by element. Everything but the slots' number is the same for each rule. */
export interface Update {
  /** (n) changed in place. */
  readonly parameters: Float64Array;
  /** (n) */
  readonly gradient: Float64Array;
  /** (the type's slots)(n) changed in place; zero before the first step. */
  readonly slots: readonly Float64Array[];
  /** 0-based. */
  readonly step: number;
  readonly lr: number;
  /** Of this step: the hyper-parameter that OPTIMIZERS names. */
  readonly momentum: number;
  /** Whether an earlier step has used sgd's momentum buffer. */
  readonly started: boolean;
}

/** The rule of every type, so that a type without one does not compile. */
const RULES: { readonly [T in OptimizerType]: (spec: OptimizerOf<T>, update: Update) => void } = {
  sgd,
  adam,
  adamw: adam,
  rmsprop,
  lion,
};

/**
 * The update rules of torch.optim (lion: of optax), term by term. One difference: the variance of centered rmsprop, which rounding can
 * take below zero, is held at zero where torch would give NaN.
 */
export function applyUpdate(optimizer: OptimizerSpec, update: Update): void {
  const rule = RULES[optimizer.type] as (spec: OptimizerSpec, update: Update) => void;
  rule(optimizer, update);
}

/** slots: [momentum buffer]. */
function sgd(spec: OptimizerOf<"sgd">, { parameters, gradient, slots, lr, momentum, started }: Update): void {
  const buffer = slots[0]!;
  for (let i = 0; i < parameters.length; i++) {
    let g = gradient[i]! + spec.weightDecay * parameters[i]!;
    if (momentum !== 0) {
      // The first gradient enters whole, undampened.
      buffer[i] = started ? momentum * buffer[i]! + (1 - spec.dampening) * g : g;
      g = spec.nesterov ? g + momentum * buffer[i]! : buffer[i]!;
    }
    parameters[i]! -= lr * g;
  }
}

/** slots: [mean of the gradient, mean of its square]. */
function adam(
  spec: OptimizerOf<"adam" | "adamw">,
  { parameters, gradient, slots, step, lr, momentum: beta1 }: Update,
): void {
  const [mean, square] = slots as [Float64Array, Float64Array];
  const { beta2, eps, weightDecay } = spec;
  const correction1 = 1 - pow(beta1, step + 1);
  const correction2 = 1 - pow(beta2, step + 1);
  for (let i = 0; i < parameters.length; i++) {
    let g = gradient[i]!;
    if (spec.type === "adamw") parameters[i]! *= 1 - lr * weightDecay;
    else g += weightDecay * parameters[i]!;
    mean[i] = beta1 * mean[i]! + (1 - beta1) * g;
    square[i] = beta2 * square[i]! + (1 - beta2) * g * g;
    parameters[i]! -= ((lr / correction1) * mean[i]!) / (Math.sqrt(square[i]!) / Math.sqrt(correction2) + eps);
  }
}

/** slots: [mean of the square, mean of the gradient (centered), momentum buffer]. */
function rmsprop(spec: OptimizerOf<"rmsprop">, { parameters, gradient, slots, lr, momentum }: Update): void {
  const [square, mean, buffer] = slots as [Float64Array, Float64Array, Float64Array];
  const { alpha, eps, weightDecay } = spec;
  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i]! + weightDecay * parameters[i]!;
    square[i] = alpha * square[i]! + (1 - alpha) * g * g;
    if (spec.centered) mean[i] = alpha * mean[i]! + (1 - alpha) * g;
    const variance = square[i]! - (spec.centered ? mean[i]! ** 2 : 0);
    const scaled = g / (Math.sqrt(Math.max(variance, 0)) + eps);
    if (momentum > 0) {
      buffer[i] = momentum * buffer[i]! + scaled;
      parameters[i]! -= lr * buffer[i]!;
    } else {
      parameters[i]! -= lr * scaled;
    }
  }
}

/** slots: [mean of the gradient]. Chen et al. 2023, Symbolic Discovery of Optimization Algorithms, algorithm 2. */
function lion(spec: OptimizerOf<"lion">, { parameters, gradient, slots, lr, momentum: beta1 }: Update): void {
  const mean = slots[0]!;
  const { beta2, weightDecay } = spec;
  for (let i = 0; i < parameters.length; i++) {
    const direction = Math.sign(beta1 * mean[i]! + (1 - beta1) * gradient[i]!);
    parameters[i]! -= lr * (direction + weightDecay * parameters[i]!);
    mean[i] = beta2 * mean[i]! + (1 - beta2) * gradient[i]!;
  }
}
