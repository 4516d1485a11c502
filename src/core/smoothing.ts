/** Exponential moving average as plain JSON: `average` starts at 0 and is biased towards it until divided by 1 - decay^count. */
export interface EmaState {
  readonly average: number;
  readonly count: number;
}

export function initEma(): EmaState {
  return { average: 0, count: 0 };
}

export function nextEma(state: EmaState, value: number, decay: number): EmaState {
  return { average: decay * state.average + (1 - decay) * value, count: state.count + 1 };
}

/** The debiased value; NaN before the first observation. */
export function emaValue(state: EmaState, decay: number): number {
  return state.average / (1 - decay ** state.count);
}

/** fastai's smoothed loss: the average after n values divided by 1 - decay^n. decay in [0, 1); 0 keeps the values. */
export function debiasedEma(values: ArrayLike<number>, decay: number): Float64Array {
  return ema(values, decay, 0);
}

/** Lightning's smoothed loss: divides by 1 - decay^(n + 1), so a constant c is recorded as 0.505 c first (decay 0.98). */
export function lightningEma(values: ArrayLike<number>, decay: number): Float64Array {
  return ema(values, decay, 1);
}

function ema(values: ArrayLike<number>, decay: number, ahead: number): Float64Array {
  const smoothed = new Float64Array(values.length);
  let average = 0;
  for (let i = 0; i < values.length; i++) {
    average = decay * average + (1 - decay) * values[i]!;
    smoothed[i] = average / (1 - decay ** (i + 1 + ahead));
  }
  return smoothed;
}

/** torch-lr-finder's and ignite's: the first value raw, then factor * value + (1 - factor) * previous. factor 0: the values. */
export function seededEma(values: ArrayLike<number>, factor: number): Float64Array {
  const smoothed = Float64Array.from(values);
  if (factor === 0) return smoothed;
  for (let i = 1; i < smoothed.length; i++) smoothed[i] = factor * smoothed[i]! + (1 - factor) * smoothed[i - 1]!;
  return smoothed;
}

/** Mean of the values at most (width - 1) / 2 away; near an end, of those that exist. width: odd. */
export function centredMean(values: ArrayLike<number>, width: number): Float64Array {
  const half = (width - 1) / 2;
  const means = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const low = Math.max(0, i - half);
    const high = Math.min(values.length - 1, i + half);
    let sum = 0;
    for (let j = low; j <= high; j++) sum += values[j]!;
    means[i] = sum / (high - low + 1);
  }
  return means;
}

/** Mean of each `window` consecutive values; the last mean is of what is left. */
export function windowMeans(values: ArrayLike<number>, window: number): Float64Array {
  const means = new Float64Array(Math.ceil(values.length / window));
  for (let w = 0; w < means.length; w++) {
    const end = Math.min(values.length, (w + 1) * window);
    let sum = 0;
    for (let i = w * window; i < end; i++) sum += values[i]!;
    means[w] = sum / (end - w * window);
  }
  return means;
}

/** The decay that suits a run of so many steps: reaches back over about a hundredth of it, and at most a thousand steps. */
export function defaultDecay(steps: number): number {
  const reach = Math.max(4, Math.min(1000, steps / 100));
  return Number((1 - 1 / reach).toPrecision(3));
}
