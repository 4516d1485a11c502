import { argmin, gradient, gradientOverFloat32 } from "./gradient.js";

/** What is left of a sweep after smoothing, the stop rule and the trim: columns of equal length. */
export interface Curve {
  readonly lr: readonly number[];
  readonly loss: readonly number[];
}

/** A rate, or why the library gives none (it logs or raises there). */
export type Suggested =
  | { readonly lr: number; readonly reason?: never }
  | { readonly lr: null; readonly reason: string };

const none = (reason: string): Suggested => ({ lr: null, reason });

/**
 * fastai valley: the middle (not, as its documentation says, two thirds) of the longest strictly decreasing subsequence.
 * Its start is taken as end minus length, which can be -1, and an index of -1 means the last point, as in Python.
 */
export function valley({ lr, loss }: Curve): Suggested {
  const n = loss.length;
  if (n === 0) return none("no points left");
  const length = new Array<number>(n).fill(1);
  // Patience sorting: highest[k] is the highest loss at which a decreasing subsequence of k + 1 points ends.
  const highest: number[] = [];
  let end = 0;
  for (let i = 0; i < n; i++) {
    let low = 0;
    let high = highest.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (highest[middle]! > loss[i]!) low = middle + 1;
      else high = middle;
    }
    highest[low] = loss[i]!;
    length[i] = low + 1;
    if (length[i]! > length[end]!) end = i;
  }
  const start = end === 0 ? 0 : end - length[end]!;
  const section = (end - start) / 3;
  return { lr: lr.at(start + Math.trunc(section) + Math.trunc(section / 2))! };
}

export interface SlideOptions {
  /** Distance of the two points, in rungs. */
  readonly lrDiff: number;
  /** Absolute, so its meaning depends on the loss's scale. */
  readonly threshold: number;
  readonly adjustValue: number;
}

/** fastai slide: from the right end, moves a pair of points left while the loss's slopes at them differ. */
export function slide({ lr, loss }: Curve, options: SlideOptions): Suggested {
  const n = loss.length;
  if (n <= options.lrDiff) return none(`needs more than ${options.lrDiff} points`);
  const slopes = gradient(loss);
  let right = n - 1;
  let left = right - options.lrDiff;
  let found = lr[left]!;
  while (left >= 0 && Math.abs(slopes[right]! - slopes[left]!) > options.threshold) {
    found = lr[left]!;
    right--;
    left--;
  }
  return { lr: found * options.adjustValue };
}

/** fastai minimum: a tenth of the rate with the lowest loss. */
export function minimum({ lr, loss }: Curve): Suggested {
  return loss.length === 0 ? none("no points left") : { lr: lr[argmin(loss)]! / 10 };
}

/** fastai steep: the lower end of the steepest fall per natural log of the rate. */
export function steep({ lr, loss }: Curve): Suggested {
  if (loss.length < 2) return none("needs at least 2 points");
  const slopes = lr.slice(1).map((rate, i) => (loss[i + 1]! - loss[i]!) / (Math.log(rate) - Math.log(lr[i]!)));
  return { lr: lr[argmin(slopes)]! };
}

/**
 * Lightning before 2.5.3: steepest fall per rung of the finite points, in float32. Its index counts only the finite points
 * but is used on all, so each point dropped before it shifts the answer one rung down.
 */
export function lightningByIndex({ lr, loss }: Curve): Suggested {
  const finite = loss.filter(Number.isFinite);
  if (finite.length < 2) return none("needs at least 2 finite points");
  return { lr: lr[argmin(gradient(Float32Array.from(finite)).map(Math.fround))]! };
}

/** Lightning since 2.5.3: steepest fall per unit of learning rate, in float32; favours the smallest rates by far. */
export function lightningByLr({ lr, loss }: Curve): Suggested {
  const kept = lr.map((_, i) => i).filter((i) => Number.isFinite(loss[i]!));
  if (kept.length < 2) return none("needs at least 2 finite points");
  const slopes = gradientOverFloat32(
    kept.map((i) => loss[i]!),
    kept.map((i) => lr[i]!),
  );
  return { lr: lr[kept[argmin(slopes)]!]! };
}

/** torch-lr-finder: steepest fall per rung. */
export function steepestByIndex({ lr, loss }: Curve): Suggested {
  return loss.length < 2 ? none("needs at least 2 points") : { lr: lr[argmin(gradient(loss))]! };
}

/** ignite: steepest central difference, in float32, before the lowest loss. */
export function steepestBeforeMinimum({ lr, loss }: Curve): Suggested {
  const falling = loss.slice(0, argmin(Float32Array.from(loss)) + 1);
  if (falling.length < 3) return none("the lowest loss is within the first two points");
  const slopes = falling.slice(2).map((after, i) => Math.fround(0.5 * (after - falling[i]!)));
  return { lr: lr[argmin(slopes) + 1]! };
}

/** keras_lr_finder: steepest change of loss over `sma` rungs; `changes` and `lr` are already trimmed alike. */
export function steepestChange(lr: readonly number[], changes: readonly number[]): Suggested {
  return changes.length === 0 ? none("no points left") : { lr: lr[argmin(changes)]! };
}
