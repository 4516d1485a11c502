import { LIMITS } from "../../schemas/limits.js";
import type { ScheduleSpec } from "../../schemas/schedule.js";
import { buildMomentum, buildSchedule, isMetricDriven } from "./build.js";
import { definitionOf } from "./definitions.js";
import { children } from "./rates.js";
import { type LintCode, type LintRemark, remarksOn } from "./remarks.js";

export type { LintCode, LintRemark } from "./remarks.js";

export interface LintContext {
  /** Steps of the run. */
  readonly steps: number;
  /** Rates above it are remarked on; null: none. */
  readonly lrLimit?: number | null;
  /** Whether the rates are looked at, too. */
  readonly curve?: boolean;
}

/** Rates are looked at on at most so many steps. */
const GRID = 2000;

/** Remarks on a resolved schedule, on nested ones too; in the order of the schedule, those on the whole curve last. */
export function lintSchedule(spec: ScheduleSpec, { steps, lrLimit = null, curve = true }: LintContext): LintRemark[] {
  const found: LintRemark[] = [];
  lintNode(spec, steps, "", found);
  return curve ? [...found, ...lintCurve(spec, steps, lrLimit)] : found;
}

function lintNode(spec: ScheduleSpec, steps: number, pointer: string, found: LintRemark[]): void {
  const { lint, span } = definitionOf(spec.type);
  lint?.(spec, remarksOn(found, steps, pointer));
  children(spec).forEach(({ pointer: inner, child }, index) => {
    const { from, to, grows = false } = span!(spec, steps, index);
    const length = grows ? steps : Math.max(0, Math.min(to, steps) - from);
    lintNode(child as ScheduleSpec, length, pointer + inner, found);
  });
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
