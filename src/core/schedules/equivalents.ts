import type {
  NativeSpec,
  NestedSchedule,
  ScheduleLibrary,
  ScheduleRequest,
  ScheduleSpec,
} from "../../schemas/schedule.js";
import { buildSchedule, isMetricDriven } from "./build.js";
import type { Translation } from "./definition.js";
import { definitionOf, isNative, libraryOf } from "./definitions.js";
import { resolveSchedule } from "./resolve.js";

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

/**
 * The schedule in the terms of the other libraries, where they have it. Metric-driven policies have none: the libraries'
 * rules differ. Momentum cycling is not carried over.
 */
export function equivalents(spec: ScheduleSpec, { steps }: { readonly steps: number }): Equivalent[] {
  if (isMetricDriven(spec)) return [];
  const own = libraryOf(spec.type);
  const native = inNative(spec as NestedSchedule);
  if (native === null) return [];
  const requests: Readonly<Record<ScheduleLibrary, ScheduleRequest | null>> = {
    native: native as ScheduleRequest,
    pytorch: translated("pytorch", native, steps),
    "hugging-face": translated("hugging-face", native, steps),
    optax: translated("optax", native, steps),
  };
  return Object.entries(requests).flatMap(([library, request]) => {
    if (library === own || request === null) return [];
    const resolved = resolveSchedule(request, { steps, lrRange: [1, 1] });
    if (!resolved.ok) return [];
    const compared = compare(spec, resolved.value, steps);
    if (!(compared.maxDifference <= TOLERANCE * compared.peak)) return [];
    const { maxDifference, atStep } = compared;
    return [{ library: library as ScheduleLibrary, schedule: resolved.value, maxDifference, atStep }];
  });
}

function inNative(nested: NestedSchedule): NativeSpec | null {
  const spec = nested as ScheduleSpec;
  const definition = definitionOf(spec.type);
  if (definition.inNative !== undefined) return definition.inNative(spec, inNative);
  if (definition.expression !== undefined) return inNative(definition.expression(spec) as NestedSchedule);
  return isNative(spec) ? (spec as NativeSpec) : null;
}

/** A schedule in our own terms in a library's; a part that is in a library's terms already is left as it is there. */
function translated(library: Exclude<ScheduleLibrary, "native">, native: NativeSpec, steps: number) {
  const within = (base: number | null, numWarmupSteps: number): Translation => ({
    steps,
    base,
    numWarmupSteps,
    translate(part, changes = {}) {
      const spec = part as ScheduleSpec;
      if (libraryOf(spec.type) === library) return spec;
      const by = within(changes.base ?? base, changes.numWarmupSteps ?? numWarmupSteps);
      return definitionOf(spec.type).translations?.[library]?.(spec, by) ?? null;
    },
  });
  return within(null, 0).translate(native) as ScheduleRequest | null;
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
