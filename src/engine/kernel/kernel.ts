import type { Engine, EngineOptions, SplitName, StepInputs } from "../../core/engine.js";
import { readEngineState, writeEngineState } from "../../core/engine-state.js";
import { meanInBlocks } from "../../core/evaluation.js";
import {
  CHUNK_CAPACITY,
  fillArena,
  INT_INDEX,
  type Layout,
  layoutOf,
  readParameters,
  STEP_INDEX,
  writeParameters,
} from "./layout.js";

/** One build of kernel.c with zeroed memory for arenas; `arena`: the first byte of one. */
export interface KernelBuild {
  readonly name: string;
  readonly numerics: string;
  readonly memory: ArrayBufferLike;
  /** The first arena's first byte in `memory`, a multiple of 64. */
  readonly start: number;
  /** How many losses were written; -1, with nothing done, where the build does not know the arena's optimizer. */
  steps(arena: number, count: number, cycled: boolean): number;
  /** Sum of the losses of a block's examples, those from `first` on, 0 first. split: 0 train, 1 validation, 2 test. */
  evaluate(arena: number, split: number, first: number): number;
}

/**
 * One engine for each of the options, which differ in seed and parameters only: the examples lie in the first one's arena, the
 * others read them there. `createBuild` is called once, with the size of all arenas in bytes. Throws Error where that build
 * lacks the optimizer.
 */
export function createKernels(
  replicas: readonly EngineOptions[],
  createBuild: (bytes: number) => KernelBuild,
): Kernel[] {
  const [first] = replicas as readonly [EngineOptions];
  checkOptions(first);
  const own = layoutOf(first);
  let bytes = 0;
  const arenas = replicas.map((options, k) => {
    if (options.splits !== first.splits) throw new RangeError("replicas have the same examples");
    const at = bytes;
    const layout = k === 0 ? own : layoutOf(options, 0, { ints: own.ints, distance: at / 4 });
    bytes += layout.bytes;
    return { options, layout, at };
  });
  const build = createBuild(bytes);
  return arenas.map(({ options, layout, at }) => new Kernel(build, build.start + at, layout, options));
}

const SPLIT_INDEX: Readonly<Record<SplitName, number>> = { train: 0, validation: 1, test: 2 };

/**
 * An engine over the C kernel; everything it knows lies in one arena (kernel.h), but the examples of a replica. Its own part of a state: slots in use and
 * floats in one, padded; then those slots.
 */
export class Kernel implements Engine {
  readonly build: string;
  readonly numerics: string;
  readonly #layout: Layout;
  readonly #start: number;
  #kernel: KernelBuild | null;

  /** `start`: the first byte of its arena, which it fills. */
  constructor(kernel: KernelBuild, start: number, layout: Layout, options: EngineOptions) {
    this.#layout = layout;
    this.#start = start;
    this.#kernel = kernel;
    this.build = kernel.name;
    this.numerics = kernel.numerics;
    if (options.parameters.length === 0) throw new RangeError("no parameters");
    fillArena(kernel.memory, start, layout, options);
    if (kernel.steps(start, 0, false) < 0) throw new Error(`${this.build} has no optimizer ${options.optimizer.type}`);
  }

  get step(): number {
    const { memory } = this.#live();
    const start = this.#start;
    return new Float64Array(memory, start, STEP_INDEX + 1)[STEP_INDEX]!;
  }

  steps({ lr, momentum }: StepInputs, loss: Float32Array): number {
    const kernel = this.#live();
    if (loss.length < lr.length) throw new RangeError(`loss has room for ${loss.length} of ${lr.length} steps`);
    if (momentum && momentum.length !== lr.length) throw new RangeError("momentum and lr differ in length");
    const { ints } = this.#layout;
    const view = <T>(type: new (memory: ArrayBufferLike, start: number, length: number) => T, offset: number) =>
      new type(kernel.memory, this.#start + offset * 4, CHUNK_CAPACITY);
    const lrIn = view(Float64Array, ints.lr);
    const momentumIn = view(Float64Array, ints.momentum);
    const lossOut = view(Float32Array, ints.loss);
    for (let done = 0; done < lr.length; ) {
      const count = Math.min(CHUNK_CAPACITY, lr.length - done);
      lrIn.set(lr.subarray(done, done + count));
      if (momentum) momentumIn.set(momentum.subarray(done, done + count));
      const ran = kernel.steps(this.#start, count, momentum !== undefined);
      loss.set(lossOut.subarray(0, ran), done);
      done += ran;
      if (!Number.isFinite(loss[done - 1])) return done;
    }
    return lr.length;
  }

  evaluation(split: SplitName): Generator<undefined, number> {
    this.#live();
    const { blockRows, [`${split}Count` as const]: count } = this.#layout.ints;
    return meanInBlocks(count, blockRows, (first) => this.#live().evaluate(this.#start, SPLIT_INDEX[split], first));
  }

  readState(): Uint8Array {
    const { memory } = this.#live();
    const start = this.#start;
    const { slots, parameterFloats } = this.#layout.ints;
    const used = this.#slotsUsed()[0]!;
    const slotBytes = parameterFloats * 4 * used;
    return writeEngineState(this.step, [used, parameterFloats], this.readParameters(), [
      new Uint8Array(memory, start + slots * 4, slotBytes),
    ]);
  }

  writeState(state: Uint8Array): void {
    const { memory } = this.#live();
    const start = this.#start;
    const { slots, parameterFloats } = this.#layout.ints;
    const { slotCount, parameterCount } = this.#layout;
    const { step, own, parameters, rest } = readEngineState(state, parameterCount);
    const used = own[0];
    const slotBytes = parameterFloats * 4;
    if (used > slotCount || own[1] !== parameterFloats || rest.byteLength !== slotBytes * used) {
      throw new RangeError(`a state of ${state.byteLength} bytes is not one of this engine's`);
    }
    new Float64Array(memory, start, STEP_INDEX + 1)[STEP_INDEX] = step;
    this.#slotsUsed()[0] = used;
    writeParameters(this.#arena(), this.#layout, parameters);
    const all = new Uint8Array(memory, start + slots * 4, slotBytes * slotCount);
    all.set(rest);
    all.fill(0, slotBytes * used);
  }

  readParameters(): Float32Array {
    return readParameters(this.#arena(), this.#layout);
  }

  /** The gradients of the last step, in the order of the parameters; for tests. */
  readGradients(): Float32Array {
    return readParameters(this.#arena(), this.#layout, this.#layout.ints.gradients);
  }

  /** Example indices of the last step's last block, `count` of them; for tests. */
  readDraw(count: number): Uint32Array {
    const { memory } = this.#live();
    const start = this.#start;
    return new Uint32Array(memory, start + this.#layout.ints.indices * 4, count).slice();
  }

  dispose(): void {
    this.#kernel = null;
  }

  #live(): KernelBuild {
    if (!this.#kernel) throw new Error("the engine is disposed");
    return this.#kernel;
  }

  #arena(): Float32Array {
    const { memory } = this.#live();
    const start = this.#start;
    return new Float32Array(memory, start, this.#layout.ints.arenaFloats);
  }

  #slotsUsed(): Uint32Array {
    const { memory } = this.#live();
    const start = this.#start;
    return new Uint32Array(memory, start + INT_INDEX.slotsUsed * 4, 1);
  }
}

/** The kernel indexes memory by these numbers, so they are checked here, once. Throws RangeError. */
function checkOptions({ model, vocabSize, batchSize, splits }: EngineOptions): void {
  const whole = (value: number, least: number, most: number, name: string) => {
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`${name} is ${value}, not a whole number from ${least} to ${most}`);
    }
  };
  whole(vocabSize, 1, 256, "vocabSize");
  whole(model.contextLength, 1, 1 << 16, "contextLength");
  whole(model.embeddingDim, 1, 1 << 16, "embeddingDim");
  whole(model.hiddenSizes.length, 1, 4, "the number of hidden layers");
  for (const size of model.hiddenSizes) whole(size, 1, 1 << 16, "hidden size");
  if (batchSize !== "full") whole(batchSize, 1, 1 << 24, "batchSize");
  for (const { count, contexts, targets } of Object.values(splits)) {
    whole(count, 0, 1 << 28, "example count");
    if (contexts.length < count * model.contextLength || targets.length < count) {
      throw new RangeError("a split holds fewer examples than its count");
    }
    for (const symbols of [contexts, targets]) {
      for (const symbol of symbols) if (symbol >= vocabSize) throw new RangeError(`symbol ${symbol} is out of range`);
    }
  }
  if (splits.train.count === 0 && batchSize !== "full") throw new RangeError("the train split is empty");
}
