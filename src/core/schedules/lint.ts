import { LIMITS } from "../../schemas/limits.js";
import type { ScheduleSpec } from "../../schemas/schedule.js";
import { buildSchedule, isMetricDriven } from "./build.js";
import { buildMomentum } from "./momentum.js";
import { children } from "./rates.js";

/** A remark on a schedule that is valid but may not do what was meant. */
export interface LintRemark {
  readonly code: LintCode;
  readonly severity: "info" | "warning" | "error";
  readonly message: string;
  /** JSON pointer into the schedule. */
  readonly pointer: string;
}

export type LintCode =
  | "first-step-at-zero"
  | "library-crash"
  | "lr-above-limit"
  | "milestone-past-end"
  | "momentum-cycled"
  | "negative-lr"
  | "never-ends"
  | "rebound"
  | "stuck"
  | "unlike-library"
  | "warmup-outside-horizon"
  | "warmup-within-horizon";

export interface LintContext {
  /** Steps of the run. */
  readonly steps: number;
  /** Rates above it are remarked on; null: none. */
  readonly lrLimit?: number | null;
}

/** Rates are looked at on at most so many steps. */
const GRID = 2000;

/** Remarks on a resolved schedule, on nested ones too; in the order of the schedule, those on the whole curve last. */
export function lintSchedule(spec: ScheduleSpec, { steps, lrLimit = null }: LintContext): LintRemark[] {
  return [...lintNode(spec, steps, ""), ...lintCurve(spec, steps, lrLimit)];
}

function lintNode(spec: ScheduleSpec, steps: number, pointer: string): LintRemark[] {
  const found: LintRemark[] = [];
  const remark = (severity: LintRemark["severity"], code: LintCode, parameter: string, message: string) =>
    found.push({ code, severity, message, pointer: `${pointer}${parameter}` });
  // A nested schedule counts its own steps.
  const [whose, own] = pointer === "" ? ["the run's", ""] : ["its own", " of its own"];
  const rebound = (end: number, parameter: string) => {
    if (end < steps - 1) remark("warning", "rebound", parameter, `after step ${end}${own} the cosine climbs back`);
  };
  const unfinished = (end: number, parameter: string) => {
    if (end > steps) remark("info", "never-ends", parameter, `ends at step ${end}, after ${whose} ${steps} steps`);
  };
  const past = (milestones: readonly number[], parameter: string) => {
    milestones.forEach((milestone, i) => {
      if (milestone >= steps) {
        remark("warning", "milestone-past-end", `${parameter}/${i}`, `${whose} last step is ${steps - 1}`);
      }
    });
  };
  const warmup = (warmupSteps: number, parameter: string, within: boolean, horizon: number | null) => {
    if (warmupSteps === 0) return;
    if (warmupSteps >= steps) {
      remark("warning", "milestone-past-end", parameter, `the warm-up takes all of ${whose} ${steps} steps`);
    } else if (within) {
      remark("info", "warmup-within-horizon", parameter, "the warm-up counts towards the schedule's steps");
    } else {
      const total = horizon === null ? "" : `: ${warmupSteps + horizon} steps in all`;
      remark("info", "warmup-outside-horizon", parameter, `the warm-up comes before the schedule's own steps${total}`);
    }
  };

  switch (spec.type) {
    case "cosine":
      rebound(spec.steps, "/steps");
      unfinished(spec.steps, "/steps");
      break;
    case "CosineAnnealingLR":
      rebound(spec.tMax, "/tMax");
      unfinished(spec.tMax, "/tMax");
      break;
    case "hf/cosine":
    case "hf/cosine_with_min_lr":
    case "hf/cosine_warmup_with_min_lr":
      warmup(spec.numWarmupSteps, "/numWarmupSteps", true, null);
      rebound(spec.numTrainingSteps, "/numTrainingSteps");
      unfinished(spec.numTrainingSteps, "/numTrainingSteps");
      break;
    case "hf/linear":
    case "hf/cosine_with_restarts":
    case "hf/polynomial":
      warmup(spec.numWarmupSteps, "/numWarmupSteps", true, null);
      unfinished(spec.numTrainingSteps, "/numTrainingSteps");
      if (spec.type === "hf/polynomial" && spec.numTrainingSteps === spec.numWarmupSteps) {
        remark("warning", "library-crash", "/numTrainingSteps", "transformers divides by zero; here lrEnd follows");
      }
      break;
    case "linear":
    case "polynomial":
    case "one-minus-sqrt":
    case "tanh":
    case "one-cycle":
    case "sweep":
      unfinished(spec.steps, "/steps");
      break;
    case "step":
    case "multi-step":
    case "MultiStepLR":
      past(spec.milestones ?? [], "/milestones");
      break;
    case "StepLR":
      if (spec.stepSize >= steps)
        remark("info", "never-ends", "/stepSize", "longer than the run: the rate never falls");
      break;
    case "sequential":
    case "SequentialLR":
      past(spec.milestones, "/milestones");
      break;
    case "optax/join_schedules":
      past(spec.boundaries, "/boundaries");
      break;
    case "warmup": {
      const horizon: unknown = spec.schedule.steps;
      warmup(spec.steps, "/steps", false, typeof horizon === "number" ? horizon : null);
      break;
    }
    case "warmup-stable-decay":
      warmup(spec.warmupSteps, "/warmupSteps", false, spec.stableSteps + spec.decaySteps);
      break;
    case "hf/warmup_stable_decay":
      warmup(spec.numWarmupSteps, "/numWarmupSteps", false, spec.numStableSteps + spec.numDecaySteps);
      break;
    case "optax/warmup_cosine_decay_schedule":
      warmup(spec.warmupSteps, "/warmupSteps", true, null);
      unfinished(spec.decaySteps, "/decaySteps");
      break;
    case "optax/warmup_exponential_decay_schedule":
      warmup(spec.warmupSteps, "/warmupSteps", false, null);
      break;
    case "optax/warmup_constant_schedule":
      if (spec.warmupSteps === 0) {
        remark("warning", "stuck", "/warmupSteps", "with no warm-up steps optax stays at initValue");
      }
      break;
    case "ConstantLR":
      if (spec.factor === 0 && spec.totalIters > 0) {
        remark(
          "warning",
          "library-crash",
          "/factor",
          `PyTorch divides by zero at step ${spec.totalIters}; here lr follows`,
        );
      }
      if (spec.totalIters === 0) remark("warning", "stuck", "/totalIters", "PyTorch stays at factor * lr for good");
      break;
    case "LinearLR":
      if (spec.totalIters === 0)
        remark("warning", "stuck", "/totalIters", "PyTorch stays at startFactor * lr for good");
      break;
    case "OneCycleLR": {
      const { totalSteps, pctStart } = spec;
      if (pctStart * totalSteps === 1 || pctStart === 1) {
        remark(
          "error",
          "library-crash",
          "/pctStart",
          "a phase has no steps: PyTorch divides by zero; here it is skipped",
        );
      }
      if (totalSteps < steps) {
        const message = `PyTorch raises after step ${totalSteps}; here the final rate is held`;
        remark("warning", "library-crash", "/totalSteps", message);
      }
      unfinished(totalSteps, "/totalSteps");
      break;
    }
    default:
      break;
  }
  if (spec.type === "SequentialLR") {
    spec.schedulers.forEach((child, i) => {
      if (["SequentialLR", "ChainedScheduler", "MultiplicativeLR"].includes(child.type)) {
        const message = `PyTorch miscounts the steps of a ${child.type} in a SequentialLR, or raises; here it counts from 0`;
        remark("info", "unlike-library", `/schedulers/${i}`, message);
      }
    });
  }
  for (const { pointer: inner, child } of children(spec)) {
    const length = childLength(spec, inner, steps);
    found.push(...lintNode(child as ScheduleSpec, length, pointer + inner));
  }
  return found;
}

/** Steps for which a nested schedule runs. */
function childLength(spec: ScheduleSpec, pointer: string, steps: number): number {
  switch (spec.type) {
    case "sequential":
    case "SequentialLR":
    case "optax/join_schedules": {
      const milestones = spec.type === "optax/join_schedules" ? spec.boundaries : spec.milestones;
      const index = Number(pointer.split("/").at(-1));
      return Math.max(0, Math.min(milestones[index] ?? steps, steps) - (milestones[index - 1] ?? 0));
    }
    case "warmup":
      return Math.max(0, steps - spec.steps);
    case "repeat":
      return spec.growth === 1 ? Math.min(steps, spec.period) : steps;
    default:
      return steps;
  }
}

function lintCurve(spec: ScheduleSpec, steps: number, lrLimit: number | null): LintRemark[] {
  if (isMetricDriven(spec)) {
    const { lr } = spec as { lr: number };
    if (lrLimit === null || lr <= lrLimit) return [];
    return [{ code: "lr-above-limit", severity: "warning", message: `${lr} is above ${lrLimit}`, pointer: "/lr" }];
  }
  const found: LintRemark[] = [];
  const remark = (severity: LintRemark["severity"], code: LintCode, message: string) =>
    found.push({ code, severity, message, pointer: "" });
  const schedule = buildSchedule(spec);
  if (schedule(0) === 0)
    remark("warning", "first-step-at-zero", "the rate is 0 at step 0: the first update changes nothing");
  const seen = { above: false, bad: false };
  for (let i = 0; i < Math.min(GRID, steps); i++) {
    const step = steps <= GRID ? i : Math.round((i * (steps - 1)) / (GRID - 1));
    const lr = schedule(step);
    if (lrLimit !== null && lr > lrLimit && !seen.above) {
      seen.above = true;
      remark("warning", "lr-above-limit", `at step ${step} the rate is ${lr}, above ${lrLimit}`);
    }
    if (!(lr >= 0 && lr <= LIMITS.lr) && !seen.bad) {
      seen.bad = true;
      remark("error", "negative-lr", `at step ${step} the rate is ${lr}, not a number from 0 to ${LIMITS.lr}`);
    }
  }
  if (buildMomentum(spec) !== null) {
    remark("info", "momentum-cycled", "momentum (beta1 of adam) follows the schedule instead of the optimizer's own");
  }
  return found;
}
