/** Steps a block of the next level holds, as a power of two. */
const SHIFT = 4;

export interface Extent {
  readonly min: number;
  readonly max: number;
}

const EMPTY: Extent = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };

/** Minima and maxima of consecutive blocks of 16^k values. */
interface Level {
  min: Float64Array;
  max: Float64Array;
}

/**
 * A growing column of one number a step, with the minimum and maximum of any range in O(log n): an envelope drawn from it
 * loses no spike, however long the run. Values that are not finite enter no extent.
 */
export class Column {
  #values: Float32Array | Float64Array;
  readonly #levels: Level[] = [];
  #length = 0;

  constructor(precision: 32 | 64) {
    this.#values = precision === 32 ? new Float32Array(1024) : new Float64Array(1024);
  }

  get length(): number {
    return this.#length;
  }

  /** NaN outside [0, length). */
  at(step: number): number {
    return step >= 0 && step < this.#length ? this.#values[step]! : Number.NaN;
  }

  /** A view of the values; valid until the next push. */
  values(): Float32Array | Float64Array {
    return this.#values.subarray(0, this.#length);
  }

  push(values: ArrayLike<number | null>): void {
    this.#reserve(this.#length + values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? Number.NaN;
      this.#values[this.#length] = value;
      this.#note(this.#length, this.#values[this.#length]!);
      this.#length++;
    }
  }

  /** Of the finite values in [from, to); min > max when there are none. */
  extent(from: number, to: number): Extent {
    let { min, max } = EMPTY;
    const end = Math.min(to, this.#length);
    let i = Math.max(0, from);
    while (i < end) {
      let level = 0;
      while (level < this.#levels.length && isBlock(i, end, level + 1)) level++;
      if (level === 0) {
        const value = this.#values[i]!;
        if (Number.isFinite(value)) {
          if (value < min) min = value;
          if (value > max) max = value;
        }
        i++;
      } else {
        const { min: minima, max: maxima } = this.#levels[level - 1]!;
        const block = i / blockSize(level);
        if (minima[block]! < min) min = minima[block]!;
        if (maxima[block]! > max) max = maxima[block]!;
        i += blockSize(level);
      }
    }
    return { min, max };
  }

  #note(index: number, value: number): void {
    if (!Number.isFinite(value)) return;
    for (const [k, { min, max }] of this.#levels.entries()) {
      const block = Math.floor(index / blockSize(k + 1));
      if (value < min[block]!) min[block] = value;
      if (value > max[block]!) max[block] = value;
    }
  }

  #reserve(length: number): void {
    if (length > this.#values.length) {
      const grown = new (this.#values.constructor as Float64ArrayConstructor)(
        Math.max(length, this.#values.length * 2),
      );
      grown.set(this.#values);
      this.#values = grown;
    }
    for (let k = 0; blockSize(k + 1) <= this.#values.length; k++) {
      const blocks = Math.ceil(this.#values.length / blockSize(k + 1));
      const level = this.#levels[k];
      if (level === undefined) this.#levels.push(this.#buildLevel(k + 1, blocks));
      else if (level.min.length < blocks) {
        level.min = grow(level.min, blocks, EMPTY.min);
        level.max = grow(level.max, blocks, EMPTY.max);
      }
    }
  }

  /** A level that becomes useful only now, from what is stored already. */
  #buildLevel(level: number, blocks: number): Level {
    const min = new Float64Array(blocks).fill(EMPTY.min);
    const max = new Float64Array(blocks).fill(EMPTY.max);
    for (let block = 0; block * blockSize(level) < this.#length; block++) {
      const extent = this.extent(block * blockSize(level), (block + 1) * blockSize(level));
      min[block] = extent.min;
      max[block] = extent.max;
    }
    return { min, max };
  }
}

function blockSize(level: number): number {
  return 2 ** (SHIFT * level);
}

function isBlock(from: number, end: number, level: number): boolean {
  const size = blockSize(level);
  return from % size === 0 && from + size <= end;
}

function grow(old: Float64Array, length: number, fill: number): Float64Array {
  const grown = new Float64Array(Math.max(length, old.length * 2)).fill(fill);
  grown.set(old);
  return grown;
}
