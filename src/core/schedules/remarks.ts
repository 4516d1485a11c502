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

/** What the definitions of the schedule types make remarks with; `parameter` is a JSON pointer into the schedule. */
export interface Remarks {
  /** Steps for which the schedule runs. */
  readonly steps: number;
  remark(severity: LintRemark["severity"], code: LintCode, parameter: string, message: string): void;
  /** Of a cosine that ends at step `end` and is not clamped. */
  rebound(end: number, parameter: string): void;
  /** Of a schedule that would end after its last step. */
  unfinished(end: number, parameter: string): void;
  /** Of milestones that are never reached. */
  past(milestones: readonly number[], parameter: string): void;
  /** Of a warm-up: within the schedule's own horizon, or before it. */
  warmup(steps: number, parameter: string, horizon: "within" | { readonly after: number | null }): void;
}

/** Adds to `found`; `pointer` is the schedule's own: "" at the top, where the steps are the run's. */
export function remarksOn(found: LintRemark[], steps: number, pointer: string): Remarks {
  const remark: Remarks["remark"] = (severity, code, parameter, message) => {
    found.push({ code, severity, message, pointer: `${pointer}${parameter}` });
  };
  // A nested schedule counts its own steps.
  const [whose, own] = pointer === "" ? ["the run's", ""] : ["its own", " of its own"];
  return {
    steps,
    remark,
    rebound(end, parameter) {
      if (end < steps - 1) remark("warning", "rebound", parameter, `after step ${end}${own} the cosine climbs back`);
    },
    unfinished(end, parameter) {
      if (end > steps) remark("info", "never-ends", parameter, `ends at step ${end}, after ${whose} ${steps} steps`);
    },
    past(milestones, parameter) {
      milestones.forEach((milestone, i) => {
        if (milestone >= steps) {
          remark(
            "warning",
            "milestone-past-end",
            `${parameter}/${i}`,
            `never reached: ${whose} last step is ${steps - 1}`,
          );
        }
      });
    },
    warmup(warmupSteps, parameter, horizon) {
      if (warmupSteps === 0) return;
      if (warmupSteps >= steps) {
        remark("warning", "milestone-past-end", parameter, `the warm-up takes all of ${whose} ${steps} steps`);
      } else if (horizon === "within") {
        remark("info", "warmup-within-horizon", parameter, "the warm-up counts towards the schedule's steps");
      } else {
        const total = horizon.after === null ? "" : `: ${warmupSteps + horizon.after} steps in all`;
        const message = `the warm-up comes before the schedule's own steps${total}`;
        remark("info", "warmup-outside-horizon", parameter, message);
      }
    },
  };
}
