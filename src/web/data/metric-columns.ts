import type { EvalPoint } from "../../schemas/metrics.js";
import type { Extent } from "./column.js";
import type { Smoothing } from "./smoother.js";

/** One number an entry. */
export interface Entries {
  /** The entry's value, of a bucket the mean; NaN outside [0, length). */
  at(index: number): number;
  /** Of the finite values of all steps in entries [from, to); min > max when there are none. */
  extent(from: number, to: number): Extent;
}

/** A run's metrics as charts draw them, in the order of its steps: an entry is one step, or a bucket of them. */
export interface MetricColumns {
  /** Steps an entry; 1: exact. */
  readonly every: number;
  readonly first: number;
  /** One past the last step: where a stream goes on from. */
  readonly next: number;
  /** Entries held. */
  readonly length: number;
  readonly lr: Entries;
  readonly loss: Entries;
  readonly evals: readonly EvalPoint[];
  /** Rates never fall: the loss can be drawn against them. */
  readonly rising: boolean;
  /** The first step of an entry. */
  stepOf(index: number): number;
  /** The first entry that begins at or after a position on the step axis; `length` if there is none. */
  indexAtStep(position: number): number;
  /** The loss made smooth, a value an entry. Valid until the next call. */
  smoothed(smoothing: Smoothing): Float32Array;
}
