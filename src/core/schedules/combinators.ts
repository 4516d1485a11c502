import { roundAt } from "./leaves.js";
import type { Schedule } from "./schedule.js";

/** Which of the schedules is active at a step, and that schedule's own step. A repeated milestone skips a schedule. */
export function activeAt(milestones: readonly number[], step: number): { index: number; at: number } {
  let index = 0;
  while (index < milestones.length && milestones[index]! <= step) index += 1;
  return { index, at: index === 0 ? step : step - milestones[index - 1]! };
}

export function sequential(schedules: readonly Schedule[], milestones: readonly number[]): Schedule {
  return (step) => {
    const { index, at } = activeAt(milestones, step);
    return schedules[index]!(at);
  };
}

/** Each part is a schedule and the base rate its factors are relative to. */
export function chained(lr: number, parts: readonly { schedule: Schedule; base: number }[]): Schedule {
  return (step) => parts.reduce((product, { schedule, base }) => product * (schedule(step) / base), lr);
}

export function repeat(schedule: Schedule, period: number, growth: number, decay: number): Schedule {
  return (step) => {
    const { round, at } = roundAt(step, period, growth);
    return schedule(at) * decay ** round;
  };
}

export const clamp =
  (schedule: Schedule, min: number, max: number): Schedule =>
  (step) =>
    Math.min(Math.max(schedule(step), min), max);

export function override(schedule: Schedule, rates: readonly (readonly [number, number])[]): Schedule {
  const at = new Map(rates);
  return (step) => at.get(step) ?? schedule(step);
}
