import { emaValue, initEma, nextEma } from "../../core/smoothing.js";

/** How a noisy loss is made readable. "ema": debiased moving average with a decay in [0, 1); "mean": of the last n steps. */
export type Smoothing =
  | { readonly kind: "ema"; readonly decay: number }
  | { readonly kind: "mean"; readonly window: number };

/** Smooths a column as it grows: each call takes only what is new. */
export class Smoother {
  readonly smoothing: Smoothing;
  #values = new Float32Array(1024);
  #length = 0;
  #ema = initEma();
  #sum = 0;
  #count = 0;

  constructor(smoothing: Smoothing) {
    this.smoothing = smoothing;
  }

  /** The smoothed column, as long as `values`, of which only values after the last call's are read anew. */
  update(values: ArrayLike<number>): Float32Array {
    if (values.length > this.#values.length) {
      const grown = new Float32Array(Math.max(values.length, this.#values.length * 2));
      grown.set(this.#values);
      this.#values = grown;
    }
    for (; this.#length < values.length; this.#length++) this.#values[this.#length] = this.#next(values, this.#length);
    return this.#values.subarray(0, this.#length);
  }

  #next(values: ArrayLike<number>, i: number): number {
    const value = values[i]!;
    if (this.smoothing.kind === "ema") {
      const { decay } = this.smoothing;
      if (Number.isFinite(value)) this.#ema = nextEma(this.#ema, value, decay);
      return emaValue(this.#ema, decay);
    }
    if (Number.isFinite(value)) {
      this.#sum += value;
      this.#count++;
    }
    const leaving = values[i - this.smoothing.window];
    if (leaving !== undefined && Number.isFinite(leaving)) {
      this.#sum -= leaving;
      this.#count--;
    }
    return this.#sum / this.#count;
  }
}
