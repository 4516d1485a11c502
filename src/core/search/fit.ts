/** A rate's log10 with its mean loss over some seeds; Infinity: at least one diverged. */
export interface Point {
  readonly log: number;
  readonly loss: number;
}

export interface Minimum {
  /** log10 of the rate with the lowest loss. */
  readonly log: number;
  /** The loss there, by the same parabola. */
  readonly loss: number;
}

/** A neighbour's excess counts for at most so many times the other's: losses leap up on the high side, and are no parabola. */
const MOST_SKEW = 3;

export function indexOfBest(points: readonly Point[]): number {
  let best = -1;
  for (const [i, { loss }] of points.entries())
    if (Number.isFinite(loss) && (best < 0 || loss < points[best]!.loss)) best = i;
  return best;
}

/**
 * The minimum of the parabola through the lowest point and its neighbours, at most half the way to one of them; the lowest
 * point itself where a side is missing. null: all diverged. Points ascend in rate.
 */
export function minimumOf(points: readonly Point[]): Minimum | null {
  const best = indexOfBest(points);
  if (best < 0) return null;
  const centre = points[best]!;
  const [left, right] = [points[best - 1], points[best + 1]];
  if (left === undefined || right === undefined) return centre;
  const [below, above] = [centre.log - left.log, right.log - centre.log];
  const [up, down] = [left.loss - centre.loss, right.loss - centre.loss];
  const [riseBelow, riseAbove] = [Math.min(up, MOST_SKEW * down), Math.min(down, MOST_SKEW * up)];
  if (!(riseBelow + riseAbove > 0) || !Number.isFinite(riseBelow + riseAbove)) return centre;
  // y = s u + c u^2 through both neighbours, u from the centre.
  const c = (riseBelow / below + riseAbove / above) / (below + above);
  const s = riseAbove / above - c * above;
  const shift = Math.min(above / 2, Math.max(-below / 2, -s / (2 * c)));
  return { log: centre.log + shift, loss: centre.loss + s * shift + c * shift * shift };
}

/** lr*(steps) = a steps^slope, through the minima found at some horizons. */
export interface HorizonLaw {
  readonly slope: number;
  /** Standard error of the slope. */
  readonly error: number;
}

/** What is known before anything is measured: exponents from -0.20 to -0.27 over this model's schedules. */
const PRIOR = { slope: -0.23, error: 0.08 };
/** Standard error of one minimum's log rate about the law. */
const SCATTER = 0.07;
/** Short horizons obey the law less: each step down counts for so much. */
const FADE = 0.5;

/** By weighted least squares with a prior on the slope. `minima`: ascending in steps. */
export function horizonLaw(minima: readonly { readonly steps: number; readonly log: number }[]): HorizonLaw {
  const weights = minima.map((_, i) => FADE ** (minima.length - 1 - i) / SCATTER ** 2);
  const total = weights.reduce((sum, w) => sum + w, 0);
  const x = minima.map(({ steps }) => Math.log10(steps));
  const mean = (values: readonly number[]) => values.reduce((sum, v, i) => sum + weights[i]! * v, 0) / total;
  const [xMean, yMean] = [mean(x), mean(minima.map(({ log }) => log))];
  const precision = 1 / PRIOR.error ** 2;
  let xx = precision;
  let xy = precision * PRIOR.slope;
  for (const [i, w] of weights.entries()) {
    xx += w * (x[i]! - xMean) ** 2;
    xy += w * (x[i]! - xMean) * (minima[i]!.log - yMean);
  }
  return { slope: xy / xx, error: Math.sqrt(1 / xx) };
}

/** The best rate's log at another horizon, from the last minimum on, with its standard error. */
export function forecast(
  minima: readonly { readonly steps: number; readonly log: number }[],
  steps: number,
): { readonly log: number; readonly error: number } {
  const last = minima.at(-1)!;
  const decades = Math.log10(steps / last.steps);
  const law = horizonLaw(minima);
  return { log: last.log + law.slope * decades, error: Math.hypot(SCATTER, law.error * decades) };
}
