import type { ScheduleSpec } from "../../schemas/schedule.js";
import { buildPolicy, isMetricDriven } from "./build.js";
import { type LintRemark, lintSchedule } from "./lint.js";

/** A schedule as it would run, without training. */
export interface SchedulePreview {
  /** Ascending steps of the points; all of them when there are few enough. */
  readonly steps: number[];
  /** Rate at each of these steps. */
  readonly lr: number[];
  /** Momentum (beta1) at each; null where the schedule leaves it to the optimizer. */
  readonly momentum: number[] | null;
  /** Sum of the rates of all steps looked at, scaled to the run's steps. */
  readonly area: number;
  readonly peak: { readonly step: number; readonly lr: number };
  readonly first: number;
  readonly last: number;
  /** Of a metric-driven policy: the curve shown is the one that a loss that never changes gives. */
  readonly assumption: string | null;
  readonly lint: LintRemark[];
}

export interface PreviewOptions {
  readonly steps: number;
  /** Points of the curve at most, 4 at least. */
  readonly points: number;
  /** Taken evenly, in place of each stretch's lowest and highest. */
  readonly even?: boolean;
  readonly lrLimit?: number | null;
}

/** Runs longer than this are looked at on an even grid of so many steps. */
const MAX_LOOKED_AT = 200_000;

/** Looked-at steps times characters of the spec, at most: about half a second. */
const MAX_WORK = 1e8;

/** The curve thinned so that the highest and the lowest rate of every stretch stay; first and last step are kept. */
export function previewSchedule(
  spec: ScheduleSpec,
  { steps, points, even = false, lrLimit = null }: PreviewOptions,
): SchedulePreview {
  const policy = buildPolicy(spec);
  const driven = isMetricDriven(spec);
  // What a rate costs grows with the text of its spec: nested schedules, expressions, tables.
  const count = Math.min(steps, MAX_LOOKED_AT, Math.max(2, Math.floor(MAX_WORK / JSON.stringify(spec).length)));
  const at = new Float64Array(count);
  const lr = new Float64Array(count);
  const momentum = policy.momentum === undefined ? null : new Float64Array(count);
  let state = policy.init();
  let observed = 0;
  let area = 0;
  let peak = 0;
  for (let i = 0; i < count; i++) {
    const step = count === steps ? i : Math.round((i * (steps - 1)) / (count - 1));
    while (policy.every !== null && observed + policy.every <= step) {
      observed += policy.every;
      state = policy.next(state, { step: observed, loss: 1 });
    }
    at[i] = step;
    lr[i] = policy.lr(state, step);
    if (momentum !== null) momentum[i] = policy.momentum!(state, step);
    area += lr[i]!;
    if (lr[i]! > lr[peak]!) peak = i;
  }
  const kept = even ? evenly(count, points) : thin(lr, points);
  return {
    steps: kept.map((i) => at[i]!),
    lr: kept.map((i) => lr[i]!),
    momentum: momentum && kept.map((i) => momentum[i]!),
    area: (area * steps) / count,
    peak: { step: at[peak]!, lr: lr[peak]! },
    first: lr[0]!,
    last: lr[count - 1]!,
    assumption: driven ? "a loss that never changes; the real curve depends on the training" : null,
    lint: lintSchedule(spec, { steps, lrLimit }),
  };
}

/** Indices from both ends on, as even as whole numbers are. */
function evenly(length: number, points: number): number[] {
  const count = Math.min(length, points);
  if (count < 2) return [0];
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / (count - 1)));
}

/** Indices of at most `points` values: of each of equal stretches the lowest and the highest, and both ends. */
function thin(values: Float64Array, points: number): number[] {
  const { length } = values;
  if (length <= points) return Array.from({ length }, (_, i) => i);
  const stretches = Math.max(1, Math.floor((points - 2) / 2));
  const kept = new Set([0, length - 1]);
  for (let s = 0; s < stretches; s++) {
    let low = Math.floor((s * length) / stretches);
    let high = low;
    for (let i = low; i < Math.floor(((s + 1) * length) / stretches); i++) {
      if (values[i]! < values[low]!) low = i;
      if (values[i]! > values[high]!) high = i;
    }
    kept.add(low).add(high);
  }
  return [...kept].sort((a, b) => a - b);
}
