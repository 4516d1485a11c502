import type { StopOnDivergence } from "../schemas/run.js";
import { type EmaState, emaValue, initEma, nextEma } from "./smoothing.js";

/** Rides in the checkpoint as plain JSON, hence null for what has no value yet. */
export interface DivergenceState {
  readonly ema: EmaState;
  /** Lowest smoothed loss so far. */
  readonly best: number | null;
  /** First bad step; once set, the state never changes again. */
  readonly firstBadStep: number | null;
}

export function initDivergence(): DivergenceState {
  return { ema: initEma(), best: null, firstBadStep: null };
}

/**
 * Shows the detector the losses of steps from .. from + losses.length - 1. A step is bad when its loss is not finite, or the
 * debiased average including it exceeds `factor` times the lowest such average (fastai's rule; for non-negative losses).
 * How a run is cut into chunks does not change the result. After a bad step nothing further is looked at.
 */
export function observe(
  policy: StopOnDivergence,
  state: DivergenceState,
  losses: ArrayLike<number>,
  from: number,
): { readonly state: DivergenceState; readonly firstBadStep: number | null } {
  let { ema, best, firstBadStep } = state;
  for (let i = 0; i < losses.length && firstBadStep === null; i++) {
    const loss = losses[i]!;
    if (!Number.isFinite(loss)) {
      firstBadStep = from + i;
      break;
    }
    ema = nextEma(ema, loss, policy.smoothing);
    const smoothed = emaValue(ema, policy.smoothing);
    if (best === null || smoothed < best) best = smoothed;
    else if (smoothed > policy.factor * best) firstBadStep = from + i;
  }
  return { state: { ema, best, firstBadStep }, firstBadStep };
}
