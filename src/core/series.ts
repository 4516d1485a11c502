/** What to make of a long series of one value a step. */
export interface SeriesOptions {
  /** First step and one past the last. */
  readonly from: number;
  readonly to: number;
  /** Largest number of buckets. */
  readonly points: number;
  /** Applied to each value first. */
  readonly transform: "none" | "log10";
  /** Steps a mean is taken over before bucketing; windows start at multiples of it. 1: no windows. */
  readonly window: number;
}

/** Columns of equal length, one entry a bucket. min, max and mean are null where the bucket holds no finite value. */
export interface Series {
  /** First step of the bucket; with `from` inside a window, the bucket begins at `from`. */
  readonly step: number[];
  readonly min: (number | null)[];
  readonly max: (number | null)[];
  readonly mean: (number | null)[];
  /** Windows (steps, for window 1) with a finite value in the bucket. */
  readonly count: number[];
  /** Steps whose transformed value was not finite; they enter no minimum, maximum or mean. */
  readonly notFinite: number;
}

/**
 * Min, max and mean of each of at most `points` buckets, exact, from a series shown in order and in any chunks. Item i of n
 * (an item is a window's mean) falls into bucket floor(i * buckets / n). Memory is O(points), whatever the length.
 */
export class SeriesAccumulator {
  readonly #options: SeriesOptions;
  readonly #firstWindow: number;
  readonly #windows: number;
  readonly #buckets: number;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #sum: Float64Array;
  readonly #count: Float64Array;
  #next: number;
  #windowSum = 0;
  #windowCount = 0;
  #windowFirst = 0;
  #windowVaries = false;
  #notFinite = 0;

  constructor(options: SeriesOptions) {
    const { from, to, points, window } = options;
    if (!(from >= 0 && to >= from && points >= 1 && window >= 1))
      throw new RangeError("series: 0 <= from <= to, points and window >= 1");
    this.#options = options;
    this.#firstWindow = Math.floor(from / window);
    this.#windows = to === from ? 0 : Math.floor((to - 1) / window) - this.#firstWindow + 1;
    this.#buckets = Math.min(points, this.#windows);
    this.#min = new Float64Array(this.#buckets).fill(Number.POSITIVE_INFINITY);
    this.#max = new Float64Array(this.#buckets).fill(Number.NEGATIVE_INFINITY);
    this.#sum = new Float64Array(this.#buckets);
    this.#count = new Float64Array(this.#buckets);
    this.#next = from;
  }

  /** Values of the next steps. RangeError when they run past `to`. */
  push(values: ArrayLike<number>): void {
    const { to, transform, window } = this.#options;
    if (this.#next + values.length > to) throw new RangeError(`series: ends at step ${to}`);
    for (let i = 0; i < values.length; i++) {
      const value = transform === "log10" ? Math.log10(values[i]!) : values[i]!;
      if (Number.isFinite(value)) {
        this.#windowSum += value;
        this.#windowCount++;
        if (this.#windowCount === 1) this.#windowFirst = value;
        else if (value !== this.#windowFirst) this.#windowVaries = true;
      } else this.#notFinite++;
      this.#next++;
      if (this.#next % window === 0 || this.#next === to) this.#closeWindow();
    }
  }

  /** What has been pushed so far; an unfinished window is left out. */
  result(): Series {
    const { from, window } = this.#options;
    const step: number[] = [];
    for (let b = 0; b < this.#buckets; b++) {
      const first = Math.ceil((b * this.#windows) / this.#buckets);
      step.push(Math.max(from, (this.#firstWindow + first) * window));
    }
    const where = (column: Float64Array) => Array.from(column, (value, b) => (this.#count[b] === 0 ? null : value));
    return {
      step,
      min: where(this.#min),
      max: where(this.#max),
      // Of values that are all alike exactly that value, which a sum's roundings would miss.
      mean: where(this.#sum.map((sum, b) => (this.#min[b] === this.#max[b] ? this.#min[b]! : sum / this.#count[b]!))),
      count: [...this.#count],
      notFinite: this.#notFinite,
    };
  }

  #closeWindow(): void {
    if (this.#windowCount > 0) {
      const mean = this.#windowVaries ? this.#windowSum / this.#windowCount : this.#windowFirst;
      const item = Math.floor((this.#next - 1) / this.#options.window) - this.#firstWindow;
      const bucket = Math.floor((item * this.#buckets) / this.#windows);
      this.#min[bucket] = Math.min(this.#min[bucket]!, mean);
      this.#max[bucket] = Math.max(this.#max[bucket]!, mean);
      this.#sum[bucket]! += mean;
      this.#count[bucket]!++;
    }
    this.#windowSum = 0;
    this.#windowCount = 0;
    this.#windowVaries = false;
  }
}
