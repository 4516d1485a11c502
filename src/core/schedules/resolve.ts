import type { FieldError } from "../../spec/problem.js";
import { SCHEDULE_SCHEMAS, type ScheduleRequest, type ScheduleSpec, type ScheduleType } from "../../spec/schedule.js";
import { invalid, ok, type Result } from "../result.js";

/** What a schedule's missing parameters are filled in from. */
export interface ScheduleContext {
  /** Steps of the run. */
  readonly steps: number;
  /** [low, high] of the request; high is where a schedule starts or peaks, low is where it ends or its floor. */
  readonly lrRange: readonly [number, number];
}

type Defaults = Readonly<Record<string, unknown>>;

/** Defaults that depend on the run; fixed ones are in the schemas. This is the README's lrRange table. */
const DEFAULTS: { [T in ScheduleType]: (context: ScheduleContext, given: Defaults) => Defaults } = {
  constant: ({ lrRange: [, high] }) => ({ lr: high }),
  linear: ({ steps, lrRange: [low, high] }) => ({ start: high, end: low, steps }),
  step: ({ steps, lrRange: [low, high] }) => ({
    lr: high,
    stepSize: Math.max(1, Math.floor(steps * 0.75)),
    gamma: low / high,
  }),
  "multi-step": ({ steps, lrRange: [low, high] }) => ({
    lr: high,
    milestones: [Math.floor(steps * 0.5), Math.floor(steps * 0.75)],
    gamma: Math.sqrt(low / high),
  }),
  exponential: ({ steps, lrRange: [low, high] }) => ({ lr: high, gamma: (low / high) ** (1 / Math.max(1, steps - 1)) }),
  cyclic: ({ steps, lrRange: [low, high] }, given) => {
    const stepSizeUp = Math.max(1, Math.floor(steps / 8));
    return { baseLr: low, maxLr: high, stepSizeUp, stepSizeDown: given.stepSizeUp ?? stepSizeUp };
  },
  cosine: ({ steps, lrRange: [low, high] }) => ({ lr: high, minLr: low, steps }),
  sweep: ({ steps, lrRange: [low, high] }) => ({ start: low, end: high, steps }),
};

/** Fills in every parameter; then checks what a JSON schema cannot say. Pointers are relative to the schedule. */
export function resolveSchedule(request: ScheduleRequest, context: ScheduleContext): Result<ScheduleSpec> {
  const { type, ...given } = typeof request === "string" ? { type: request } : request;
  const fixed: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(SCHEDULE_SCHEMAS[type].properties)) {
    if ("default" in schema) fixed[name] = schema.default;
  }
  const spec = { type, ...fixed, ...DEFAULTS[type](context, given), ...given } as ScheduleSpec;
  const errors = check(spec);
  return errors.length === 0 ? ok(spec) : invalid(...errors);
}

function check(spec: ScheduleSpec): FieldError[] {
  switch (spec.type) {
    case "multi-step": {
      const { milestones } = spec;
      const bad = milestones.findIndex((milestone, i) => i > 0 && milestone < milestones[i - 1]!);
      return bad < 0 ? [] : [{ pointer: `/milestones/${bad}`, expected: "milestones in ascending order" }];
    }
    case "cyclic":
      return spec.baseLr <= spec.maxLr ? [] : [{ pointer: "/maxLr", expected: "at least baseLr" }];
    default:
      return [];
  }
}
