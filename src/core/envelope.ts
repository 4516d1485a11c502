/** Steps [from, to) of a run, reduced to one entry a bucket; columns of equal length. */
export interface Envelope {
  readonly from: number;
  readonly to: number;
  /** Steps a bucket: bucket i covers what [from, to) has of the steps from (floor(from / every) + i) * every on. */
  readonly every: number;
  /** Mean rate. */
  readonly lr: readonly number[];
  /** Of the finite losses; null where there is none. */
  readonly min: readonly (number | null)[];
  readonly max: readonly (number | null)[];
  readonly mean: readonly (number | null)[];
  /** Losses in the bucket that are not finite. */
  readonly notFinite: readonly number[];
}

/**
 * Min, max and mean of buckets of `every` steps that begin at its multiples, from a series without an end that is shown in
 * order and in any chunks; exact, with SeriesAccumulator's arithmetic. With `from` inside a bucket, the first begins there.
 */
export class EnvelopeAccumulator {
  readonly #every: number;
  #from: number;
  #next: number;
  #lr: number[] = [];
  #min: (number | null)[] = [];
  #max: (number | null)[] = [];
  #mean: (number | null)[] = [];
  #notFinite: number[] = [];
  // The bucket that is being filled.
  #rates = 0;
  #rate = 0;
  #varies = false;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #sum = 0;
  #finite = 0;
  #steps = 0;

  constructor(every: number, from: number) {
    if (!(Number.isInteger(every) && every >= 1 && from >= 0)) throw new RangeError("envelope: every >= 1, from >= 0");
    this.#every = every;
    this.#from = from;
    this.#next = from;
  }

  /** Whole buckets that `take` would give. */
  get size(): number {
    return this.#lr.length;
  }

  /** Rates and losses of the next steps. */
  push(lr: ArrayLike<number>, loss: ArrayLike<number>): void {
    for (let i = 0; i < lr.length; i++) {
      const value = loss[i]!;
      if (this.#steps === 0) this.#rate = lr[i]!;
      else if (lr[i] !== this.#rate) this.#varies = true;
      this.#rates += lr[i]!;
      this.#steps++;
      if (Number.isFinite(value)) {
        this.#least = Math.min(this.#least, value);
        this.#most = Math.max(this.#most, value);
        this.#sum += value;
        this.#finite++;
      }
      if (++this.#next % this.#every === 0) this.#closeBucket();
    }
  }

  /** The buckets filled since the last time; `all`: with the one that is being filled. null: there is none. */
  take(all: boolean): Envelope | null {
    if (all && this.#steps > 0) this.#closeBucket();
    if (this.#lr.length === 0) return null;
    const envelope = {
      from: this.#from,
      to: this.#next - this.#steps,
      every: this.#every,
      lr: this.#lr,
      min: this.#min,
      max: this.#max,
      mean: this.#mean,
      notFinite: this.#notFinite,
    };
    this.#from = envelope.to;
    this.#lr = [];
    this.#min = [];
    this.#max = [];
    this.#mean = [];
    this.#notFinite = [];
    return envelope;
  }

  #closeBucket(): void {
    const some = this.#finite > 0;
    // Of rates that are all alike exactly that rate, which a sum's roundings would miss.
    this.#lr.push(this.#varies ? this.#rates / this.#steps : this.#rate);
    this.#min.push(some ? this.#least : null);
    this.#max.push(some ? this.#most : null);
    this.#mean.push(some ? (this.#least === this.#most ? this.#least : this.#sum / this.#finite) : null);
    this.#notFinite.push(this.#steps - this.#finite);
    this.#rates = 0;
    this.#varies = false;
    this.#least = Number.POSITIVE_INFINITY;
    this.#most = Number.NEGATIVE_INFINITY;
    this.#sum = 0;
    this.#finite = 0;
    this.#steps = 0;
  }
}
