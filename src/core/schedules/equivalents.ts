import {
  type NativeSpec,
  SCHEDULE_LIBRARIES,
  type ScheduleLibrary,
  type ScheduleOf,
  type ScheduleRequest,
  type ScheduleSpec,
} from "../../schemas/schedule.js";
import { buildSchedule, expressed, isMetricDriven } from "./build.js";
import { resolveSchedule } from "./resolve.js";
import { inHuggingFace, inOptax, inTorch } from "./translate.js";

/** The same schedule in another library's terms. */
export interface Equivalent {
  readonly library: ScheduleLibrary;
  readonly schedule: ScheduleSpec;
  /** Largest absolute difference of the rates over the run's steps (on a grid of 20,000 where there are more). */
  readonly maxDifference: number;
  /** The step where it is. */
  readonly atStep: number;
}

const MAX_LOOKED_AT = 20_000;
/** A translation that differs by more than this share of the peak is not an equivalent. */
const TOLERANCE = 0.01;

export function libraryOf(spec: ScheduleSpec): ScheduleLibrary {
  const libraries = Object.keys(SCHEDULE_LIBRARIES) as ScheduleLibrary[];
  return libraries.find((library) => spec.type in SCHEDULE_LIBRARIES[library])!;
}

/**
 * The schedule in the terms of the other libraries, where they have it. Metric-driven policies have none: the libraries'
 * rules differ. Momentum cycling is not carried over.
 */
export function equivalents(spec: ScheduleSpec, { steps }: { readonly steps: number }): Equivalent[] {
  if (isMetricDriven(spec)) return [];
  const own = libraryOf(spec);
  const native = readable(spec);
  if (native === null) return [];
  const requests: Partial<Record<ScheduleLibrary, ScheduleRequest | null>> = {
    native: native as ScheduleRequest,
    pytorch: inTorch(native),
    "hugging-face": inHuggingFace(native),
    optax: inOptax(native, steps),
  };
  return Object.entries(requests).flatMap(([library, request]) => {
    if (library === own || request == null) return [];
    const resolved = resolveSchedule(request, { steps, lrRange: [1, 1] });
    if (!resolved.ok) return [];
    const compared = compare(spec, resolved.value, steps);
    if (!(compared.maxDifference <= TOLERANCE * compared.peak)) return [];
    const { maxDifference, atStep } = compared;
    return [{ library: library as ScheduleLibrary, schedule: resolved.value, maxDifference, atStep }];
  });
}

function compare(a: ScheduleSpec, b: ScheduleSpec, steps: number) {
  const [left, right] = [buildSchedule(a), buildSchedule(b)];
  const result = { maxDifference: 0, atStep: 0, peak: 0 };
  const count = Math.min(steps, MAX_LOOKED_AT);
  for (let i = 0; i < count; i++) {
    const step = count === steps ? i : Math.round((i * (steps - 1)) / (count - 1));
    const rate = left(step);
    const difference = Math.abs(rate - right(step));
    result.peak = Math.max(result.peak, rate);
    // Written so that a difference that is not a number is kept.
    if (!(difference <= result.maxDifference)) Object.assign(result, { maxDifference: difference, atStep: step });
  }
  return result;
}

/** Our own terms, with a plain cosine in place of the lambdas that mirror Hugging Face's rounding; null: not expressible. */
function readable(spec: ScheduleSpec): NativeSpec | null {
  switch (spec.type) {
    case "ChainedScheduler":
      return { type: "chained", lr: spec.lr, schedules: spec.schedulers };
    case "hf/cosine":
      return spec.numCycles === 0.5 ? warmedCosine(spec, 0) : expressed(spec);
    case "hf/cosine_with_min_lr": {
      const floor = spec.minLr ?? (spec.minLrRate ?? 0) * spec.lr;
      return spec.numCycles === 0.5 ? warmedCosine(spec, floor) : expressed(spec);
    }
    case "OneCycleLR":
      return (expressed(spec) as ScheduleOf<"override">).schedule as NativeSpec;
    default: {
      const native = expressed(spec) ?? (spec as NativeSpec);
      if (native.type !== "sequential") return native;
      const schedules = native.schedules.map((child) => readable(child as ScheduleSpec));
      return schedules.includes(null) ? null : { ...native, schedules: schedules as NativeSpec[] };
    }
  }
}

function warmedCosine(
  { lr, numWarmupSteps, numTrainingSteps }: { lr: number; numWarmupSteps: number; numTrainingSteps: number },
  minLr: number,
): NativeSpec {
  const cosine: NativeSpec = { type: "cosine", lr, minLr, steps: Math.max(1, numTrainingSteps - numWarmupSteps) };
  if (numWarmupSteps === 0) return cosine;
  const up: NativeSpec = { type: "linear", start: 0, end: lr, steps: numWarmupSteps };
  return { type: "sequential", schedules: [up, cosine], milestones: [numWarmupSteps] };
}
