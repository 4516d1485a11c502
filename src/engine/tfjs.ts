import * as tf from "@tensorflow/tfjs-core";
import type { Engine, EngineOptions, Examples, SplitName, StepInputs } from "../core/engine.js";
import { readEngineState, writeEngineState } from "../core/engine-state.js";
import { meanInBlocks } from "../core/evaluation.js";
import { parameterCount, type Tensor, tensors } from "../core/model.js";
import { drawBatch } from "../core/rng.js";
import { OPTIMIZERS, ownMomentum } from "../schemas/optimizers.js";
import { loadBackend, tfjsNumerics } from "./tfjs/backend.js";
import { WAY_TO_NATIVE } from "./tfjs/native-binding.js";
import { backward, forward, type Rows } from "./tfjs/network.js";
import { updated } from "./tfjs/optimizers.js";

/** Examples computed at once; larger batches and splits go through in blocks, which bounds the memory. */
const BLOCK = 8192;

/** f32, on TensorFlow.js with its fastest backend here. Only loading is asynchronous. */
export async function createTfjs(options: EngineOptions): Promise<Engine> {
  const { build } = await loadBackend();
  return new TfjsEngine(build, options);
}

/** On its native binding or not at all: rejects with why it does not load, and the way out. */
export async function createTfjsNode(options: EngineOptions): Promise<Engine> {
  const { build, nativeProblem } = await loadBackend();
  if (nativeProblem !== null) throw new Error(`engine tfjs-node does not load (${nativeProblem}): ${WAY_TO_NATIVE}`);
  return new TfjsEngine(build, options);
}

class TfjsEngine implements Engine {
  readonly build: string;
  readonly numerics: string;
  readonly #options: EngineOptions;
  readonly #tensors: readonly Tensor[];
  /** (1 + slots)(parameters): the flat parameters, then the optimizer's slots. Replaced by every step. */
  #vectors: tf.Tensor1D[];
  readonly #length: number;
  readonly #batch: Uint32Array;
  #step = 0;
  /** Whether a step has used sgd's momentum buffer, which begins as that step's gradient. */
  #started = false;
  #disposed = false;

  constructor(build: string, options: EngineOptions) {
    const { model, vocabSize, batchSize, splits, optimizer } = options;
    this.build = build;
    this.numerics = tfjsNumerics(build);
    this.#options = options;
    this.#tensors = tensors(model, vocabSize);
    this.#length = parameterCount(model, vocabSize);
    if (options.parameters.length !== this.#length) {
      throw new RangeError(`expected ${this.#length} parameters, got ${options.parameters.length}`);
    }
    const zeros = Array.from({ length: OPTIMIZERS[optimizer.type].slots }, () => new Float32Array(this.#length));
    this.#vectors = [options.parameters, ...zeros].map((values) => tf.tensor1d(values.slice()));
    this.#batch =
      batchSize === "full" ? Uint32Array.from({ length: splits.train.count }, (_, i) => i) : new Uint32Array(batchSize);
  }

  get step(): number {
    return this.#step;
  }

  steps(inputs: StepInputs, loss: Float32Array): number {
    this.#assertUsable();
    const { batchSize, splits, seed, optimizer } = this.#options;
    for (let i = 0; i < inputs.lr.length; i++) {
      if (batchSize !== "full") drawBatch(this.#batch, batchSize, splits.train.count, seed, this.#step);
      const momentum = inputs.momentum?.[i] ?? ownMomentum(optimizer);
      const next = tf.tidy(() => {
        const gradient = this.#gradient(loss, i);
        if (!Number.isFinite(loss[i])) return [];
        const [parameters, ...slots] = this.#vectors as [tf.Tensor1D, ...tf.Tensor1D[]];
        const place = { step: this.#step, lr: inputs.lr[i]!, momentum, started: this.#started };
        return updated(optimizer, { parameters, gradient, slots, ...place });
      });
      if (next.length === 0) return i + 1;
      this.#replace(next);
      this.#started ||= momentum !== 0;
      this.#step++;
    }
    return inputs.lr.length;
  }

  evaluation(split: SplitName): Generator<undefined, number> {
    this.#assertUsable();
    const examples = this.#options.splits[split];
    return meanInBlocks(examples.count, BLOCK, (from, to) => {
      const block = Uint32Array.from({ length: to - from }, (_, i) => from + i);
      return tf.tidy(() => {
        const { losses } = forward(this.#options.model, this.#views(), this.#rows(examples, block));
        return tf.sum(losses).dataSync()[0]!;
      });
    });
  }

  /** Its own part of a state: 1 when momentum has started; then the slots, f32. */
  readState(): Uint8Array {
    this.#assertUsable();
    const slots = this.#vectors.slice(1).map((vector) => new Uint8Array(Float32Array.from(vector.dataSync()).buffer));
    return writeEngineState(this.#step, [Number(this.#started), 0], this.readParameters(), slots);
  }

  writeState(state: Uint8Array): void {
    this.#assertUsable();
    const { step, own, parameters, rest } = readEngineState(state, this.#length);
    const expected = (this.#vectors.length - 1) * this.#length * 4;
    if (rest.byteLength !== expected) {
      throw new RangeError(`expected a state with ${expected} bytes of its own, got ${rest.byteLength}`);
    }
    const numbers = new Float32Array(rest.slice().buffer);
    const slots = this.#vectors.slice(1).map((_, i) => numbers.slice(i * this.#length, (i + 1) * this.#length));
    this.#step = step;
    this.#started = own[0] === 1;
    this.#replace([parameters, ...slots].map((values) => tf.tensor1d(values)));
  }

  readParameters(): Float32Array {
    this.#assertUsable();
    return Float32Array.from(this.#vectors[0]!.dataSync());
  }

  dispose(): void {
    if (!this.#disposed) tf.dispose(this.#vectors);
    this.#disposed = true;
  }

  #assertUsable(): void {
    if (this.#disposed) throw new Error("this engine has been disposed of");
  }

  #replace(vectors: tf.Tensor1D[]): void {
    tf.dispose(this.#vectors);
    this.#vectors = vectors;
  }

  /** The parameter tensors in their shapes, cut from the flat vector. */
  #views(): tf.Tensor[] {
    const parameters = this.#vectors[0]!;
    return this.#tensors.map(({ offset, size, shape }) => tf.reshape(tf.slice1d(parameters, offset, size), [...shape]));
  }

  #rows(examples: Examples, indices: Uint32Array): Rows {
    const { model, vocabSize } = this.#options;
    const { contextLength } = model;
    const symbols = new Int32Array(indices.length * contextLength);
    const targets = new Float32Array(indices.length * vocabSize);
    for (const [row, example] of indices.entries()) {
      for (let k = 0; k < contextLength; k++) {
        symbols[row * contextLength + k] = examples.contexts[example * contextLength + k]!;
      }
      targets[row * vocabSize + examples.targets[example]!] = 1;
    }
    return { symbols: tf.tensor1d(symbols), targets: tf.tensor2d(targets, [indices.length, vocabSize]) };
  }

  /** (parameters) mean gradient over the batch; the mean loss goes to loss[at]. */
  #gradient(loss: Float32Array, at: number): tf.Tensor1D {
    const { model, splits } = this.#options;
    const views = this.#views();
    const batch = this.#batch;
    let gradient: tf.Tensor1D | undefined;
    let total = 0;
    for (let from = 0; from < batch.length; from += BLOCK) {
      const block = tf.tidy(() => {
        const rows = this.#rows(splits.train, batch.subarray(from, from + BLOCK));
        const pass = forward(model, views, rows);
        total += tf.sum(pass.losses).dataSync()[0]!;
        const part = backward(model, views, rows, pass, batch.length);
        return gradient === undefined ? part : tf.add(gradient, part);
      });
      gradient?.dispose();
      gradient = block as tf.Tensor1D;
    }
    loss[at] = total / batch.length;
    return gradient!;
  }
}
