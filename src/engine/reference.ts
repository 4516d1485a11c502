import type { Engine, EngineOptions, Examples, SplitName, StepInputs } from "../core/engine.js";
import { readEngineState, writeEngineState } from "../core/engine-state.js";
import { meanInBlocks } from "../core/evaluation.js";
import { layerWidths, type Tensor, tensors } from "../core/model.js";
import { drawBatch } from "../core/rng.js";
import { NUMERICS } from "../schemas/numerics.js";
import { OPTIMIZERS, ownMomentum } from "../schemas/optimizers.js";
import { applyUpdate } from "./reference-optimizers.js";

/** Plain f64 loops, one example at a time: the engine that the others are compared with. Slow on purpose. */
export function createReference(options: EngineOptions): Engine {
  return new ReferenceEngine(options);
}

/** A layer's place in the flat parameters, and its buffers for one example. */
interface Layer {
  readonly fanIn: number;
  readonly fanOut: number;
  /** Offsets of weight (fanIn, fanOut) and bias (fanOut). */
  readonly weight: number;
  readonly bias: number;
  /** (fanOut) the layer's output: activations, or for the last layer the logits. */
  readonly output: Float64Array;
  /** (fanOut) derivative of the loss by the layer's sums, before the activation. */
  readonly delta: Float64Array;
}

class ReferenceEngine implements Engine {
  readonly build = "reference-f64";
  readonly numerics = NUMERICS.reference;
  readonly #options: EngineOptions;
  readonly #layers: Layer[];
  /** (parameters) flat, as model.ts's tensors(). */
  readonly #parameters: Float64Array;
  readonly #gradient: Float64Array;
  /** The optimizer's, each as long as the parameters. */
  readonly #slots: Float64Array[];
  /** (contextLength * embeddingDim) the concatenated embeddings of one example. */
  readonly #input: Float64Array;
  readonly #batch: Uint32Array;
  #step = 0;
  /** Whether a step has used sgd's momentum buffer, which begins as that step's gradient. */
  #started = false;
  #disposed = false;

  constructor(options: EngineOptions) {
    const { model, vocabSize, splits } = options;
    const all = tensors(model, vocabSize);
    const { offset, size } = all.at(-1)!;
    if (options.parameters.length !== offset + size) {
      throw new RangeError(`expected ${offset + size} parameters, got ${options.parameters.length}`);
    }
    this.#options = options;
    this.#layers = layerWidths(model, vocabSize)
      .slice(1)
      .map((_, layer) => createLayer(all[1 + 2 * layer]!, all[2 + 2 * layer]!));
    this.#parameters = Float64Array.from(options.parameters);
    this.#gradient = new Float64Array(this.#parameters.length);
    this.#slots = Array.from(
      { length: OPTIMIZERS[options.optimizer.type].slots },
      () => new Float64Array(this.#parameters.length),
    );
    this.#input = new Float64Array(model.contextLength * model.embeddingDim);
    const { batchSize } = options;
    this.#batch =
      batchSize === "full" ? Uint32Array.from({ length: splits.train.count }, (_, i) => i) : new Uint32Array(batchSize);
  }

  get step(): number {
    return this.#step;
  }

  steps(inputs: StepInputs, loss: Float32Array): number {
    this.#assertUsable();
    const { batchSize, splits, seed, optimizer } = this.#options;
    const batch = this.#batch;
    for (let i = 0; i < inputs.lr.length; i++) {
      if (batchSize !== "full") drawBatch(batch, batchSize, splits.train.count, seed, this.#step);
      this.#gradient.fill(0);
      let total = 0;
      for (const example of batch) {
        total += this.#forward(splits.train, example);
        this.#backward(splits.train, example, 1 / batch.length);
      }
      loss[i] = total / batch.length;
      // The stored loss decides, so that what is infinite in the metrics also ends the run.
      if (!Number.isFinite(loss[i])) return i + 1;
      const momentum = inputs.momentum?.[i] ?? ownMomentum(optimizer);
      applyUpdate(optimizer, {
        parameters: this.#parameters,
        gradient: this.#gradient,
        slots: this.#slots,
        step: this.#step,
        lr: inputs.lr[i]!,
        momentum,
        started: this.#started,
      });
      this.#started ||= momentum !== 0;
      this.#step++;
    }
    return inputs.lr.length;
  }

  evaluation(split: SplitName): Generator<undefined, number> {
    this.#assertUsable();
    const examples = this.#options.splits[split];
    return meanInBlocks(examples.count, 1, (example) => this.#forward(examples, example));
  }

  /** Its own part of a state: 1 when the momentum buffer has been used; then, as f64, the parameters and each slot. */
  readState(): Uint8Array {
    this.#assertUsable();
    const vectors = [this.#parameters, ...this.#slots].map((vector) => new Uint8Array(vector.slice().buffer));
    return writeEngineState(this.#step, [Number(this.#started), 0], this.readParameters(), vectors);
  }

  writeState(state: Uint8Array): void {
    this.#assertUsable();
    const { step, own, rest } = readEngineState(state, this.#parameters.length);
    const vectors = [this.#parameters, ...this.#slots];
    const expected = vectors.length * this.#parameters.byteLength;
    if (rest.byteLength !== expected) {
      throw new RangeError(`expected a state with ${expected} bytes of its own, got ${rest.byteLength}`);
    }
    const numbers = new Float64Array(rest.slice().buffer);
    this.#step = step;
    this.#started = own[0] === 1;
    for (const [i, vector] of vectors.entries()) {
      vector.set(numbers.subarray(i * vector.length, (i + 1) * vector.length));
    }
  }

  readParameters(): Float32Array {
    this.#assertUsable();
    return Float32Array.from(this.#parameters);
  }

  dispose(): void {
    this.#disposed = true;
  }

  #assertUsable(): void {
    if (this.#disposed) throw new Error("this engine has been disposed of");
  }

  /** Fills every layer's output for one example; returns its cross-entropy. Not finite where a logit is NaN or +inf. */
  #forward(examples: Examples, example: number): number {
    const { model } = this.#options;
    const { contextLength, embeddingDim } = model;
    for (let position = 0; position < contextLength; position++) {
      const symbol = examples.contexts[example * contextLength + position]!;
      for (let d = 0; d < embeddingDim; d++) {
        this.#input[position * embeddingDim + d] = this.#parameters[symbol * embeddingDim + d]!;
      }
    }
    let input = this.#input;
    for (const layer of this.#layers) {
      const isLogits = layer === this.#layers.at(-1);
      for (let j = 0; j < layer.fanOut; j++) {
        let sum = this.#parameters[layer.bias + j]!;
        for (let i = 0; i < layer.fanIn; i++) sum += input[i]! * this.#parameters[layer.weight + i * layer.fanOut + j]!;
        layer.output[j] = isLogits ? sum : model.activation === "tanh" ? Math.tanh(sum) : Math.max(sum, 0);
      }
      input = layer.output;
    }
    return logSumExp(input) - input[examples.targets[example]!]!;
  }

  /** Adds `weight` times the derivative of the example's loss to the gradient; #forward has just run on it. */
  #backward(examples: Examples, example: number, weight: number): void {
    const { model } = this.#options;
    const last = this.#layers.at(-1)!;
    const normalizer = logSumExp(last.output);
    for (let j = 0; j < last.fanOut; j++) {
      const isTarget = j === examples.targets[example] ? 1 : 0;
      last.delta[j] = weight * (Math.exp(last.output[j]! - normalizer) - isTarget);
    }
    for (let k = this.#layers.length - 1; k >= 0; k--) {
      const layer = this.#layers[k]!;
      const below = this.#layers[k - 1];
      const input = below?.output ?? this.#input;
      for (let j = 0; j < layer.fanOut; j++) this.#gradient[layer.bias + j]! += layer.delta[j]!;
      for (let i = 0; i < layer.fanIn; i++) {
        let sum = 0;
        for (let j = 0; j < layer.fanOut; j++) {
          const at = layer.weight + i * layer.fanOut + j;
          this.#gradient[at]! += input[i]! * layer.delta[j]!;
          sum += this.#parameters[at]! * layer.delta[j]!;
        }
        if (below === undefined) {
          const position = Math.floor(i / model.embeddingDim);
          const symbol = examples.contexts[example * model.contextLength + position]!;
          this.#gradient[symbol * model.embeddingDim + (i % model.embeddingDim)]! += sum;
        } else {
          const slope = model.activation === "tanh" ? 1 - input[i]! ** 2 : input[i]! > 0 ? 1 : 0;
          below.delta[i] = sum * slope;
        }
      }
    }
  }
}

function createLayer(weight: Tensor, bias: Tensor): Layer {
  const [fanIn, fanOut] = weight.shape as readonly [number, number];
  const output = new Float64Array(fanOut);
  return { fanIn, fanOut, weight: weight.offset, bias: bias.offset, output, delta: new Float64Array(fanOut) };
}

/** log(sum(exp(x))), the greatest taken out so that no exponential overflows. */
function logSumExp(x: Float64Array): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of x) greatest = Math.max(greatest, value);
  let sum = 0;
  for (const value of x) sum += Math.exp(value - greatest);
  return greatest + Math.log(sum);
}
