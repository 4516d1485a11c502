import type { Engine, SplitName, StepInputs } from "../../src/core/engine.js";
import { readEngineState, writeEngineState } from "../../src/core/engine-state.js";
import { atOnce } from "../../src/core/evaluation.js";
import { Rng } from "../../src/core/rng.js";

export interface ToyOptions {
  /** Initial parameters. */
  readonly start?: readonly number[];
  /** Of the quadratic: the loss of a step is curvature / 2 times the squared distance to that step's target. */
  readonly curvature?: number;
  /** Deviation of the targets from 0; at 0 everything can be worked out by hand. */
  readonly noise?: number;
  readonly seed?: number;
}

/**
 * Gradient descent with momentum on a quadratic, for tests of what stands above an engine: all of its contract in a few
 * lines of float32, with targets that are a function of seed and step as minibatches are. Losses may overflow to Infinity.
 * `calls` are the lengths of the chunks that it was asked for.
 */
export class ToyEngine implements Engine {
  readonly build = "toy";
  readonly numerics = "toy-1";
  readonly calls: number[] = [];
  disposed = false;
  readonly #options: Required<ToyOptions>;
  #step = 0;
  #parameters: Float32Array;
  #velocity: Float32Array;

  constructor(options: ToyOptions = {}) {
    this.#options = { start: [1, -2, 3], curvature: 1, noise: 0, seed: 0, ...options };
    this.#parameters = Float32Array.from(this.#options.start);
    this.#velocity = new Float32Array(this.#parameters.length);
  }

  get step(): number {
    return this.#step;
  }

  steps({ lr, momentum }: StepInputs, loss: Float32Array): number {
    this.calls.push(lr.length);
    const { curvature } = this.#options;
    for (let i = 0; i < lr.length; i++) {
      const targets = this.#targets();
      loss[i] = this.#lossAt(targets);
      if (!Number.isFinite(loss[i])) return i + 1;
      for (let k = 0; k < targets.length; k++) {
        const gradient = curvature * (this.#parameters[k]! - targets[k]!);
        this.#velocity[k] = (momentum?.[i] ?? 0) * this.#velocity[k]! + gradient;
        this.#parameters[k]! -= lr[i]! * this.#velocity[k]!;
      }
      this.#step++;
    }
    return lr.length;
  }

  /** Of the step that comes next. */
  #targets(): number[] {
    const rng = new Rng(this.#options.seed, this.#step);
    return Array.from(this.#parameters, () => this.#options.noise * (rng.uniform() - 0.5));
  }

  #lossAt(targets: readonly number[]): number {
    const squares = targets.reduce((sum, target, k) => sum + (this.#parameters[k]! - target) ** 2, 0);
    return (this.#options.curvature / 2) * squares;
  }

  evaluate(split: SplitName): number {
    return atOnce(this.evaluation(split));
  }

  /** The loss without noise; of another split than validation with a number added, so that they can be told apart. */
  *evaluation(split: SplitName): Generator<undefined, number> {
    yield;
    return this.#lossAt(Array.from(this.#parameters, () => 0)) + { validation: 0, train: 1000, test: 2000 }[split];
  }

  readState(): Uint8Array {
    return writeEngineState(this.#step, [0, 0], this.#parameters, [new Uint8Array(this.#velocity.slice().buffer)]);
  }

  writeState(state: Uint8Array): void {
    const { step, parameters, rest } = readEngineState(state, this.#parameters.length);
    if (rest.byteLength !== this.#velocity.byteLength) throw new RangeError(`a state of ${state.byteLength} bytes`);
    this.#step = step;
    this.#parameters = parameters;
    this.#velocity = new Float32Array(rest.slice().buffer);
  }

  readParameters(): Float32Array {
    return this.#parameters.slice();
  }

  dispose(): void {
    this.disposed = true;
  }
}
