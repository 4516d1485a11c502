import type { NestedSchedule, ScheduleSpec } from "../../schemas/schedule.js";
import { definitionOf } from "./definitions.js";
import type { LrPolicy, Schedule } from "./schedule.js";

/** Whether the rate depends on the loss, not on the step alone. */
export const isMetricDriven = (spec: ScheduleSpec): boolean => definitionOf(spec.type).policy !== undefined;

/** The policy that a resolved schedule describes. */
export function buildPolicy(spec: ScheduleSpec): LrPolicy {
  const { policy } = definitionOf(spec.type);
  if (policy !== undefined) return policy(spec);
  const schedule = buildSchedule(spec);
  const momentum = buildMomentum(spec);
  return {
    every: null,
    init: () => null,
    lr: (_state, step) => schedule(step),
    ...(momentum === null ? {} : { momentum: (_state, step) => momentum(step) }),
    next: () => null,
  };
}

/**
 * The function of the step that a resolved schedule describes; equal to the library's values to rtol 1e-12. Throws
 * RangeError for metric-driven types, which buildPolicy takes.
 */
export function buildSchedule(spec: ScheduleSpec): Schedule {
  const { schedule, expression } = definitionOf(spec.type);
  if (schedule !== undefined) return schedule(spec, buildChild);
  if (expression !== undefined) return buildSchedule(expression(spec));
  throw new RangeError(`${spec.type} depends on the loss: it has a policy, not a schedule`);
}

/** Momentum (or beta1) as a function of the step, for specs in which something cycles it; else null. */
export function buildMomentum(spec: ScheduleSpec): Schedule | null {
  return definitionOf(spec.type).momentum?.(spec, momentumOf) ?? null;
}

const buildChild = (child: NestedSchedule): Schedule => buildSchedule(child as ScheduleSpec);
const momentumOf = (child: NestedSchedule): Schedule | null => buildMomentum(child as ScheduleSpec);
