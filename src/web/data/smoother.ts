/** How a noisy loss is made readable. "ema": debiased moving average with a decay in [0, 1); "mean": of the last n steps. */
export type Smoothing =
  | { readonly kind: "ema"; readonly decay: number }
  | { readonly kind: "mean"; readonly window: number };

/**
 * Smooths a column as it grows: each call takes only what is new, and a change of smoothing reuses the memory. The averages
 * are core/smoothing.ts's debiasedEma, without an object a step; values that are not finite are passed over.
 */
export class Smoother {
  #smoothing: Smoothing = { kind: "ema", decay: 0 };
  #values = new Float32Array(1024);
  #length = 0;
  #average = 0;
  /** decay ** (values averaged). */
  #bias = 1;
  #sum = 0;
  #count = 0;

  /** The smoothed column, as long as `values`, a column that only ever grows. Valid until the next call. */
  update(values: ArrayLike<number>, smoothing: Smoothing): Float32Array {
    if (!same(smoothing, this.#smoothing)) this.#restart(smoothing);
    if (values.length > this.#values.length) {
      const grown = new Float32Array(Math.max(values.length, this.#values.length * 2));
      grown.set(this.#values);
      this.#values = grown;
    }
    if (smoothing.kind === "ema") this.#ema(values, smoothing.decay);
    else this.#mean(values, smoothing.window);
    return this.#values.subarray(0, this.#length);
  }

  #restart(smoothing: Smoothing): void {
    this.#smoothing = smoothing;
    this.#length = 0;
    this.#average = 0;
    this.#bias = 1;
    this.#sum = 0;
    this.#count = 0;
  }

  #ema(values: ArrayLike<number>, decay: number): void {
    let [average, bias] = [this.#average, this.#bias];
    for (let i = this.#length; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isFinite(value)) {
        average = decay * average + (1 - decay) * value;
        bias *= decay;
      }
      this.#values[i] = average / (1 - bias);
    }
    this.#average = average;
    this.#bias = bias;
    this.#length = values.length;
  }

  #mean(values: ArrayLike<number>, window: number): void {
    for (let i = this.#length; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isFinite(value)) {
        this.#sum += value;
        this.#count++;
      }
      const leaving = i < window ? Number.NaN : values[i - window]!;
      if (Number.isFinite(leaving)) {
        this.#sum -= leaving;
        this.#count--;
      }
      this.#values[i] = this.#sum / this.#count;
    }
    this.#length = values.length;
  }
}

function same(a: Smoothing, b: Smoothing): boolean {
  if (a.kind === "ema") return b.kind === "ema" && a.decay === b.decay;
  return b.kind === "mean" && a.window === b.window;
}
