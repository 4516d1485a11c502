import type { NativeSpec, NestedSchedule, ScheduleOf } from "../../../schemas/schedule.js";
import type { Translate } from "../definition.js";
import { children } from "../rates.js";

type Sequence = ScheduleOf<"sequential">;

/** The highest of the rates that a schedule and those in it scale: the common base of a SequentialLR. */
function peak(spec: object): number {
  const { lr = 0, start = 0, end = 0 } = spec as Readonly<Record<string, unknown>>;
  return Math.max(Number(lr), Number(start), Number(end), ...children(spec).map(({ child }) => peak(child as object)));
}

export const sequenceInTorch: Translate<"sequential"> = (spec, { base, translate }) => {
  const lr = base ?? peak(spec);
  const schedulers = spec.schedules.map((child) => translate(child, { base: lr }));
  return schedulers.includes(null) ? null : { type: "SequentialLR", lr, schedulers, milestones: spec.milestones };
};

export const sequenceInHuggingFace: Translate<"sequential"> = (spec, { numWarmupSteps, translate }) => {
  const plain = held(spec);
  if (plain !== spec) return translate(plain) as ReturnType<Translate<"sequential">>;
  const warmed = afterLine(spec);
  if (numWarmupSteps > 0 || warmed === null || warmed.line.start !== 0) return null;
  return translate(warmed.after, { numWarmupSteps: warmed.line.steps }) as ReturnType<Translate<"sequential">>;
};

export const sequenceInOptax: Translate<"sequential"> = (spec, { translate }) => {
  const plain = held(spec);
  if (plain !== spec) return translate(plain) as ReturnType<Translate<"sequential">>;
  const { line, after } = afterLine(spec) ?? {};
  // optax's one function for the commonest pair of all.
  if (line !== undefined && after?.type === "cosine" && after.lr === line.end) {
    return {
      type: "optax/warmup_cosine_decay_schedule",
      initValue: line.start,
      peakValue: line.end,
      warmupSteps: line.steps,
      decaySteps: line.steps + after.steps,
      endValue: after.minLr,
    };
  }
  const schedules = spec.schedules.map((child) => translate(child));
  return schedules.includes(null) ? null : { type: "optax/join_schedules", schedules, boundaries: spec.milestones };
};

/** The line that a schedule begins with, up to its first milestone, and what follows; null where it begins otherwise. */
function afterLine(spec: Sequence): { line: ScheduleOf<"linear">; after: NativeSpec } | null {
  const [line, ...schedules] = spec.schedules as unknown as NativeSpec[];
  const [first, ...others] = spec.milestones;
  if (line?.type !== "linear" || line.steps !== first || schedules.length === 0) return null;
  const milestones = others.map((milestone) => milestone - line.steps);
  return { line, after: held({ type: "sequential", schedules: schedules as NestedSchedule[], milestones }) };
}

/** Without a tail that holds the end value of the cosine before it, and without a sequence of one. */
function held(spec: NativeSpec): NativeSpec {
  if (spec.type !== "sequential") return spec;
  const [first, last] = spec.schedules as unknown as NativeSpec[];
  if (spec.schedules.length === 1) return held(first!);
  const holds = spec.schedules.length === 2 && first!.type === "cosine" && last!.type === "constant";
  return holds && last.lr === first.minLr && first.steps === spec.milestones[0] ? first : spec;
}
