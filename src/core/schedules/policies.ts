import type { ScheduleOf } from "../../schemas/schedule.js";
import type { LrPolicy } from "./schedule.js";

/** What a metric-driven policy remembers; plain JSON, so "nothing seen yet" is null, not infinity. */
export interface PolicyState {
  lr: number;
  best: number | null;
  bad: number;
  good: number;
  cooldown: number;
  warmup: number;
  /** greedy: reductions at the floor until it starts anew. */
  resetIn: number;
  /** Observations not yet judged (optax) or in the window (greedy), oldest first. */
  window: number[];
}

const initial = (lr: number): PolicyState => ({
  lr,
  best: null,
  bad: 0,
  good: 0,
  cooldown: 0,
  warmup: 0,
  resetIn: 0,
  window: [],
});

interface Comparison {
  readonly mode?: "min" | "max";
  readonly threshold: number;
  readonly thresholdMode: "rel" | "abs";
}

/**
 * PyTorch's test. Its relative threshold has the wrong sign for negative losses, kept as it is; nothing is better than the
 * infinity it begins with where the threshold is 1 or more, as that times 0 is not a number, and less when below 0.
 */
function better(value: number, best: number | null, { mode = "min", threshold, thresholdMode }: Comparison): boolean {
  const relative = thresholdMode === "rel";
  if (mode === "min") {
    const least = best ?? Number.POSITIVE_INFINITY;
    return value < (relative ? least * (1 - threshold) : least - threshold);
  }
  const most = best ?? Number.NEGATIVE_INFINITY;
  return value > (relative ? most * (1 + threshold) : most + threshold);
}

type Plateau = Omit<ScheduleOf<"reduce-on-plateau">, "type"> & { readonly mode?: "min" | "max" };

/** torch.optim.lr_scheduler.ReduceLROnPlateau: one observation is what PyTorch calls an epoch. */
export function reduceOnPlateau(spec: Plateau): LrPolicy<PolicyState> {
  return {
    every: spec.every,
    init: () => initial(spec.lr),
    lr: (state) => state.lr,
    next(state, { loss }) {
      const next = { ...state };
      if (better(loss, state.best, spec)) {
        next.best = loss;
        next.bad = 0;
      } else next.bad += 1;
      if (next.cooldown > 0) {
        next.cooldown -= 1;
        next.bad = 0;
      }
      if (next.bad > spec.patience) {
        const lr = Math.max(next.lr * spec.factor, spec.minLr);
        if (next.lr - lr > spec.eps) next.lr = lr;
        next.cooldown = spec.cooldown;
        next.bad = 0;
      }
      return next;
    },
  };
}

type Greedy = Omit<ScheduleOf<"greedy">, "type"> & { readonly mode?: "min" | "max" };

/** transformers' GreedyLR. */
export function greedy(spec: Greedy): LrPolicy<PolicyState> {
  const start = (): PolicyState => ({ ...initial(spec.lr), resetIn: spec.resetStart });

  function raised(state: PolicyState): PolicyState {
    const lr = Math.min(state.lr / spec.factor, spec.maxLr);
    const next = { ...state, warmup: spec.warmup, good: 0, resetIn: spec.resetStart };
    return lr - state.lr > spec.eps ? { ...next, lr } : next;
  }

  function lowered(state: PolicyState): PolicyState {
    const lr = Math.max(state.lr * spec.factor, spec.minLr);
    const next = { ...state, lr: state.lr - lr > spec.eps ? lr : state.lr };
    if (next.lr <= spec.minLr) next.resetIn -= 1;
    const anew = next.lr <= spec.minLr && next.resetIn <= 0 ? start() : next;
    return { ...anew, cooldown: spec.cooldown, bad: 0 };
  }

  return {
    every: spec.every,
    init: start,
    lr: (state) => state.lr,
    next(state, { loss }) {
      const window = spec.smooth ? [...state.window, loss].slice(-spec.windowSize) : [];
      const value = spec.smooth ? window.reduce((sum, each) => sum + each, 0) / window.length : loss;
      const next = { ...state, window };
      if (next.cooldown > 0) return { ...next, cooldown: next.cooldown - 1, bad: 0, good: 0 };
      if (next.warmup > 0) return { ...next, warmup: next.warmup - 1, bad: 0, good: 0 };
      if (better(value, state.best, spec)) Object.assign(next, { best: value, bad: 0, good: next.good + 1 });
      else Object.assign(next, { bad: next.bad + 1, good: 0 });
      if (next.good > spec.patience) return raised(next);
      return next.bad > spec.patience ? lowered(next) : next;
    },
  };
}

/** optax.contrib.reduce_on_plateau: judges means of accumulationSize observations; acts at the patience-th bad one. */
export function optaxReduceOnPlateau(spec: ScheduleOf<"optax/reduce_on_plateau">): LrPolicy<PolicyState> {
  return {
    every: spec.every,
    init: () => initial(spec.lr),
    lr: (state) => state.lr,
    next(state, { loss }) {
      const window = [...state.window, loss];
      if (window.length < spec.accumulationSize) return { ...state, window };
      const mean = window.reduce((average, value, i) => (i * average + value) / (i + 1), 0);
      const improved =
        state.best === null ? mean < Number.POSITIVE_INFINITY : mean < (1 - spec.rtol) * state.best - spec.atol;
      const next = { ...state, window: [], best: improved ? mean : state.best, bad: improved ? 0 : state.bad + 1 };
      if (state.cooldown > 0) return { ...next, bad: 0, cooldown: state.cooldown - 1 };
      if (next.bad !== spec.patience) return { ...next, lr: Math.max(next.lr, spec.minScale * spec.lr) };
      const lr = Math.max(next.lr * spec.factor, spec.minScale * spec.lr);
      return { ...next, lr, bad: 0, cooldown: spec.cooldown };
    },
  };
}
