import type { NestedSchedule } from "../../schemas/schedule.js";
import type { MomentumOf, Span } from "./definition.js";
import type { Schedule } from "./schedule.js";

/* One schedule after another, each counting from 0 at its milestone: our own, PyTorch's and optax's. */

/** Which of the schedules is active at a step, and that schedule's own step. A repeated milestone skips a schedule. */
export function activeAt(milestones: readonly number[], step: number): { index: number; at: number } {
  let index = 0;
  while (index < milestones.length && milestones[index]! <= step) index += 1;
  return { index, at: index === 0 ? step : step - milestones[index - 1]! };
}

export function inSequence(schedules: readonly Schedule[], milestones: readonly number[]): Schedule {
  return (step) => {
    const { index, at } = activeAt(milestones, step);
    return schedules[index]!(at);
  };
}

/** When the `index`-th schedule runs. */
export const between = (milestones: readonly number[], steps: number, index: number): Span => ({
  from: milestones[index - 1] ?? 0,
  to: milestones[index] ?? steps,
});

/**
 * As in PyTorch, a schedule leaves the momentum where its last step put it, and before any has begun it is where the last
 * one constructed put it.
 */
export function momentumInSequence(
  schedules: readonly NestedSchedule[],
  milestones: readonly number[],
  momentumOf: MomentumOf,
): Schedule | null {
  const momenta = schedules.map(momentumOf);
  const lastBuilt = momenta.findLast((each) => each !== null);
  if (lastBuilt == null) return null;
  const begins = [0, ...milestones];
  return (step) => {
    const { index, at } = activeAt(milestones, step);
    const active = momenta[index];
    if (active != null) return active(at);
    for (let i = index - 1; i >= 0; i--) {
      const length = begins[i + 1]! - begins[i]!;
      if (momenta[i] != null && length > 0) return momenta[i]!(length - 1);
    }
    return lastBuilt(0);
  };
}
