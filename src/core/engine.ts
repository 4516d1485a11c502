import type { ModelSpec } from "../schemas/model.js";
import type { OptimizerSpec } from "../schemas/optimizers.js";

/** One split as flat columns: example i is contexts[i*contextLength ..][0..contextLength) -> targets[i]. */
export interface Examples {
  readonly count: number;
  /** (count, contextLength) symbol indices. */
  readonly contexts: Uint8Array;
  /** (count) symbol indices. */
  readonly targets: Uint8Array;
}

export type SplitName = "train" | "validation" | "test";
export type Splits = Readonly<Record<SplitName, Examples>>;

/** All that an engine needs to know of a run. Two engines given equal options start from bit-equal parameters. */
export interface EngineOptions {
  readonly model: ModelSpec;
  /** Number of distinct symbols, at most 256. */
  readonly vocabSize: number;
  /** Examples a step; "full": the whole train split, in order, no draw. */
  readonly batchSize: number | "full";
  readonly optimizer: OptimizerSpec;
  /** 32-bit; decides the minibatches (rng.ts, drawBatch). */
  readonly seed: number;
  readonly splits: Splits;
  /** Initial parameters, flat, in the order of model.ts's tensors(). Copied. */
  readonly parameters: Float32Array;
}

/** The hyper-parameters of a chunk, one entry a step. */
export interface StepInputs {
  /** (steps) learning rates. Their length is the number of steps to run. */
  readonly lr: Float64Array;
  /** (steps) momentum (beta1 where the optimizer has that, see OPTIMIZERS) for schedules that cycle it; absent: the optimizer's own. */
  readonly momentum?: Float64Array | undefined;
}

/**
 * Numerics behind one contract. An engine owns its memory, trains on one thread, and never returns to JavaScript
 * between the steps of a chunk. How a run is cut into chunks does not change a bit of its result.
 */
export interface Engine {
  /** Which code computes, e.g. "kernel-native-fma8-372ad758e682", "tfjs-4.22.0-wasm". */
  readonly build: string;

  /** What the bytes depend on besides options and inputs (src/schemas/numerics.ts). Equal numerics give equal bytes. */
  readonly numerics: string;

  /** Steps applied since the initial parameters; part of the state. */
  readonly step: number;

  /**
   * Applies up to lr.length updates and writes each step's minibatch loss (mean cross-entropy, nats, before the update).
   * Returns how many steps have a loss written. When a loss is not finite, that loss is written, its update is not
   * applied, and the count including it is returned (so loss[returned - 1] is the bad one; `step` does not count it).
   */
  steps(inputs: StepInputs, loss: Float32Array): number;

  /**
   * Mean cross-entropy in nats over a whole split; NaN when the split is empty. Yields every few examples, so that it can be
   * interrupted (evaluation.ts's atOnce runs it to its end). The parameters may not change before its end.
   */
  evaluation(split: SplitName): Generator<undefined, number>;

  /**
   * The whole training state (step, parameters, optimizer slots) as bytes. It begins as engine-state.ts says; the rest is
   * meaningful to the same numerics only.
   */
  readState(): Uint8Array;
  /** Throws RangeError when the size is not this engine's. */
  writeState(state: Uint8Array): void;

  /** A copy of the parameters, flat, in the order of model.ts's tensors(). */
  readParameters(): Float32Array;

  /** Frees memory outside the JavaScript heap. Idempotent; any later call throws. */
  dispose(): void;
}
