/** The learning rate as a function of the 0-based update about to be applied. */
export type Schedule = (step: number) => number;

/** What a metric-driven policy is shown: the mean minibatch loss of the `every` steps that end before `step`. */
export interface Observation {
  readonly step: number;
  readonly loss: number;
}

/**
 * A learning rate that may depend on what training has shown. State is plain JSON, passed in and out, and rides in the
 * checkpoint. A pure schedule is the policy whose state is null and which asks for no observation.
 */
export interface LrPolicy<S = unknown> {
  /** Steps between observations; null: none wanted. */
  readonly every: number | null;
  init(): S;
  lr(state: S, step: number): number;
  /** Momentum (or beta1) for schedules that cycle it; absent: the optimizer's own. */
  momentum?(state: S, step: number): number;
  next(state: S, seen: Observation): S;
}
