import type { ScheduleOf, ScheduleSpec } from "../../spec/schedule.js";
import type { LrPolicy, Schedule } from "./schedule.js";

/** The policy that a resolved schedule describes. */
export function buildPolicy(spec: ScheduleSpec): LrPolicy {
  const schedule = buildSchedule(spec);
  return { every: null, init: () => null, lr: (_state, step) => schedule(step), next: () => null };
}

/** The pure function that a resolved schedule describes; closed forms, equal to PyTorch's to rtol 1e-12. */
export function buildSchedule(spec: ScheduleSpec): Schedule {
  switch (spec.type) {
    case "constant":
      return () => spec.lr;
    case "linear":
      return (step) => spec.start + (spec.end - spec.start) * Math.min(step / spec.steps, 1);
    case "step":
      return (step) => spec.lr * spec.gamma ** Math.floor(step / spec.stepSize);
    case "multi-step":
      return (step) => spec.lr * spec.gamma ** spec.milestones.filter((milestone) => milestone <= step).length;
    case "exponential":
      return (step) => spec.lr * spec.gamma ** step;
    case "cyclic":
      return cyclic(spec);
    case "cosine":
      return (step) => spec.minLr + ((spec.lr - spec.minLr) * (1 + Math.cos((Math.PI * step) / spec.steps))) / 2;
    case "sweep":
      return sweep(spec);
  }
}

/** Smith 2017, as torch.optim.lr_scheduler.CyclicLR: up from baseLr to maxLr and back, scaled by cycle or by step. */
function cyclic(spec: ScheduleOf<"cyclic">): Schedule {
  const period = spec.stepSizeUp + spec.stepSizeDown;
  const ratio = spec.stepSizeUp / period;
  return (step) => {
    const cycle = Math.floor(1 + step / period);
    const x = 1 + step / period - cycle;
    const height = x <= ratio ? x / ratio : (x - 1) / (ratio - 1);
    const scale = { triangular: 1, triangular2: 2 ** (1 - cycle), exp_range: spec.gamma ** step }[spec.mode];
    return spec.baseLr + (spec.maxLr - spec.baseLr) * height * scale;
  };
}

/** The lr range test: from start to end, both reached, evenly spaced in the rate or in its exponent; end is held. */
function sweep(spec: ScheduleOf<"sweep">): Schedule {
  const last = Math.max(1, spec.steps - 1);
  return (step) => {
    const part = Math.min(step / last, 1);
    return spec.spacing === "linear"
      ? spec.start + (spec.end - spec.start) * part
      : 10 ** (Math.log10(spec.start) + (Math.log10(spec.end) - Math.log10(spec.start)) * part);
  };
}
