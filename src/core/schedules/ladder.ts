import type { SWEEP_CONVENTIONS } from "../../schemas/schedules/native.js";
import { pow } from "../pow.js";

export type LadderConvention = (typeof SWEEP_CONVENTIONS)[number];

export interface LadderOptions {
  readonly convention: LadderConvention;
  readonly start: number;
  readonly end: number;
  /** Rungs, at least 1. */
  readonly steps: number;
  readonly spacing: "exponential" | "linear";
}

/**
 * The learning rates of a range test as a function of the 0-based step. With p the way from start to end:
 * inclusive and torch-lr-finder p = i / (N - 1); fastai and keras p = i / N, so the end is not reached; ignite
 * p = (i + 1) / N, so the start is not used; lightning p = 0 for step 0, then (i + 1) / N: the rung 1 / N is skipped.
 * Steps past the last hold its rate. Exponential spacing needs start and end above 0.
 */
export function ladder(options: LadderOptions): (step: number) => number {
  const { start, end, steps, spacing } = options;
  const way = WAYS[options.convention];
  return (step) => {
    const p = way(Math.min(step, steps - 1), steps);
    return spacing === "linear" ? start + p * (end - start) : start * pow(end / start, p);
  };
}

const inclusive = (i: number, n: number) => (n === 1 ? 0 : i / (n - 1));
const endMissing = (i: number, n: number) => i / n;
const startMissing = (i: number, n: number) => (i + 1) / n;

const WAYS: Readonly<Record<LadderConvention, (step: number, steps: number) => number>> = {
  inclusive,
  "torch-lr-finder": inclusive,
  fastai: endMissing,
  keras: endMissing,
  ignite: startMissing,
  lightning: (i, n) => (i === 0 ? 0 : startMissing(i, n)),
};
