import type { Engine, SplitName, StepInputs } from "./engine.js";

/**
 * Several engines that differ in their seed only, trained in step with each other behind the contract of one: the loss of a
 * step is the median of theirs, so a curve has a band, and one unlucky seed does not speak for all.
 * A replica whose loss is not finite is out from then on, as infinitely bad; the whole is not finite once half are.
 */
export class ReplicaSet implements Engine {
  readonly build: string;
  readonly numerics: string;
  readonly #engines: readonly Engine[];
  readonly #alive: boolean[];
  #step = 0;
  #losses: Float32Array[] = [];

  /** Takes the engines over: dispose() disposes them. At least one. */
  constructor(engines: readonly Engine[]) {
    this.#engines = engines;
    this.#alive = engines.map(() => true);
    this.build = engines[0]!.build;
    this.numerics = engines[0]!.numerics;
  }

  get step(): number {
    return this.#step;
  }

  steps(inputs: StepInputs, loss: Float32Array): number {
    const count = inputs.lr.length;
    const state = this.readState();
    this.#losses = this.#run(inputs, count);
    for (let i = 0; i < count; i++) {
      loss[i] = median(this.#losses.map((losses) => losses[i]!));
      if (Number.isFinite(loss[i])) continue;
      // The others have gone on past the end: run again up to it, as the contract wants it.
      this.writeState(state);
      const { lr, momentum } = inputs;
      this.#run({ lr: lr.subarray(0, i), momentum: momentum?.subarray(0, i) }, i);
      this.#step += i;
      return i + 1;
    }
    this.#step += count;
    return count;
  }

  #run(inputs: StepInputs, count: number): Float32Array[] {
    return this.#engines.map((engine, k) => {
      const losses = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
      if (!this.#alive[k] || count === 0) return losses;
      const ran = engine.steps(inputs, losses);
      if (!Number.isFinite(losses[ran - 1]!)) {
        this.#alive[k] = false;
        losses.fill(Number.POSITIVE_INFINITY, ran - 1);
      }
      return losses;
    });
  }

  /** (replicas)(steps) each one's losses in the last call of steps(); Infinity from where it is out. */
  replicaLosses(steps: number): readonly Float32Array[] {
    return this.#losses.map((losses) => losses.subarray(0, steps));
  }

  /** Mean over the replicas that are still in; NaN when none is. */
  *evaluation(split: SplitName): Generator<undefined, number> {
    const losses = (yield* this.#evaluations(split)).filter((loss) => loss !== null);
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  }

  /** (replicas) each one's own evaluation of a split, in nats; null for one that is out or whose value is not finite. */
  *evaluations(split: SplitName): Generator<undefined, (number | null)[]> {
    const losses = yield* this.#evaluations(split);
    return losses.map((loss) => (loss !== null && Number.isFinite(loss) ? loss : null));
  }

  /** (replicas) null for one that is out. */
  *#evaluations(split: SplitName): Generator<undefined, (number | null)[]> {
    const losses: (number | null)[] = [];
    for (const [k, engine] of this.#engines.entries()) {
      losses.push(this.#alive[k] ? yield* engine.evaluation(split) : null);
    }
    return losses;
  }

  /**
   * The replicas' states, the first one's first, so that the whole begins as engine-state.ts says; then for each replica
   * (alive, size of its state) as uint32, and the step as float64.
   */
  readState(): Uint8Array {
    const states = this.#engines.map((engine) => engine.readState());
    const size = states.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const bytes = new Uint8Array(size + this.#trailerBytes);
    const view = new DataView(bytes.buffer, size);
    let at = 0;
    for (const [k, state] of states.entries()) {
      bytes.set(state, at);
      at += state.byteLength;
      view.setUint32(8 * k, Number(this.#alive[k]), true);
      view.setUint32(8 * k + 4, state.byteLength, true);
    }
    view.setFloat64(8 * states.length, this.#step, true);
    return bytes;
  }

  writeState(bytes: Uint8Array): void {
    const size = bytes.byteLength - this.#trailerBytes;
    if (size < 0)
      throw new RangeError(`a state of ${bytes.byteLength} bytes is not one of ${this.#engines.length} replicas`);
    const view = new DataView(bytes.buffer, bytes.byteOffset + size, this.#trailerBytes);
    let at = 0;
    for (const [k, engine] of this.#engines.entries()) {
      const length = view.getUint32(8 * k + 4, true);
      this.#alive[k] = view.getUint32(8 * k, true) === 1;
      engine.writeState(bytes.slice(at, at + length));
      at += length;
    }
    this.#step = view.getFloat64(8 * this.#engines.length, true);
  }

  get #trailerBytes(): number {
    return 8 * this.#engines.length + 8;
  }

  /** The first replica's. */
  readParameters(): Float32Array {
    return this.#engines[0]!.readParameters();
  }

  dispose(): void {
    for (const engine of this.#engines) engine.dispose();
  }
}

/** Median; of an even number of values the mean of the two in the middle. */
function median(values: number[]): number {
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2;
}
