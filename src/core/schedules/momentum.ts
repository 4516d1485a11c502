import type { ScheduleSpec } from "../../schemas/schedule.js";
import { activeAt } from "./combinators.js";
import { cyclic, roundAt } from "./leaves.js";
import type { Schedule } from "./schedule.js";
import { oneCycleMomentum } from "./torch.js";

/** Momentum (or beta1) as a function of the step, for specs in which something cycles it; else null. */
export function buildMomentum(spec: ScheduleSpec): Schedule | null {
  switch (spec.type) {
    case "CyclicLR":
      return spec.cycleMomentum ? cyclic({ ...spec, baseLr: spec.maxMomentum, maxLr: spec.baseMomentum }) : null;
    case "OneCycleLR":
      return spec.cycleMomentum ? oneCycleMomentum(spec) : null;
    case "SequentialLR":
      return inSequence(spec.schedulers, spec.milestones);
    case "sequential":
      return inSequence(spec.schedules, spec.milestones);
    case "optax/join_schedules":
      return inSequence(spec.schedules, spec.boundaries);
    case "clamp":
    case "override":
      return buildMomentum(spec.schedule as ScheduleSpec);
    case "warmup": {
      const inner = buildMomentum(spec.schedule as ScheduleSpec);
      return inner && ((step) => inner(Math.max(0, step - spec.steps)));
    }
    case "repeat": {
      const inner = buildMomentum(spec.schedule as ScheduleSpec);
      return inner && ((step) => inner(roundAt(step, spec.period, spec.growth).at));
    }
    default:
      return null;
  }
}

/**
 * As in PyTorch, a schedule leaves the momentum where its last step put it, and before any has begun it is where the last
 * one constructed put it.
 */
function inSequence(schedules: readonly { type: string }[], milestones: readonly number[]): Schedule | null {
  const momenta = schedules.map((schedule) => buildMomentum(schedule as ScheduleSpec));
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
