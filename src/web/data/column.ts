/** Steps a block of the next level holds, as a power of two. */
const SHIFT = 4;

export interface Extent {
  readonly min: number;
  readonly max: number;
}

const EMPTY: Extent = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };

/** Minima and maxima of consecutive blocks of 16^k values, the last block as far as it is filled. */
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
    const from = this.#length;
    this.#reserve(from + values.length);
    for (let i = 0; i < values.length; i++) this.#values[from + i] = values[i] ?? Number.NaN;
    this.#length += values.length;
    for (let level = 1; level <= this.#levels.length; level++) this.#updateLevel(level, from);
  }

  /** Of the finite values in [from, to); min > max when there are none. */
  extent(from: number, to: number): Extent {
    return this.#extentBelow(this.#levels.length + 1, Math.max(0, from), Math.min(to, this.#length));
  }

  /** The same from levels below the given one. */
  #extentBelow(level: number, from: number, end: number): Extent {
    let { min, max } = EMPTY;
    let i = from;
    while (i < end) {
      let k = 0;
      while (k + 1 < level && isBlock(i, end, k + 1)) k++;
      if (k === 0) {
        const value = this.#values[i]!;
        if (Number.isFinite(value)) {
          if (value < min) min = value;
          if (value > max) max = value;
        }
        i++;
      } else {
        const { min: minima, max: maxima } = this.#levels[k - 1]!;
        const block = i / blockSize(k);
        if (minima[block]! < min) min = minima[block]!;
        if (maxima[block]! > max) max = maxima[block]!;
        i += blockSize(k);
      }
    }
    return { min, max };
  }

  /** Brings the blocks of a level that hold values from `from` on up to date, from the level below. */
  #updateLevel(level: number, from: number): void {
    const { min, max } = this.#levels[level - 1]!;
    const size = blockSize(level);
    for (let block = Math.floor(from / size); block * size < this.#length; block++) {
      const extent = this.#extentBelow(level, block * size, Math.min((block + 1) * size, this.#length));
      min[block] = extent.min;
      max[block] = extent.max;
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
      if (level === undefined) {
        this.#levels.push({ min: new Float64Array(blocks), max: new Float64Array(blocks) });
        this.#updateLevel(k + 1, 0);
      } else if (level.min.length < blocks) {
        level.min = grow(level.min, blocks);
        level.max = grow(level.max, blocks);
      }
    }
  }
}

function blockSize(level: number): number {
  return 1 << (SHIFT * level);
}

function isBlock(from: number, end: number, level: number): boolean {
  const size = blockSize(level);
  return from % size === 0 && from + size <= end;
}

function grow(old: Float64Array, length: number): Float64Array {
  const grown = new Float64Array(Math.max(length, old.length * 2));
  grown.set(old);
  return grown;
}
