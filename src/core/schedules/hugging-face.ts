import type { NativeSpec, ScheduleOf } from "../../schemas/schedule.js";

const line = (start: number, end: number, steps: number): NativeSpec => ({ type: "linear", start, end, steps });
const constant = (lr: number): NativeSpec => ({ type: "constant", lr });
const lambda = (lr: number, factor: string): NativeSpec => ({ type: "lambda", lr, factor });

/** The schedule after a warm-up in a line from 0. */
function warmed(lr: number, warmupSteps: number, after: NativeSpec): NativeSpec {
  if (warmupSteps === 0) return after;
  return { type: "sequential", schedules: [line(0, lr, warmupSteps), after], milestones: [warmupSteps] };
}

/** The steps that progress from 0 to 1 takes after the warm-up. */
const decaySteps = (spec: { numWarmupSteps: number; numTrainingSteps: number }): number =>
  Math.max(1, spec.numTrainingSteps - spec.numWarmupSteps);

/** Cosine waves over progress, towards the floor. The order of operations is the library's, which decides the last digits. */
const waves = (cycles: number, progress: string, floor: number): string =>
  `max(0, 0.5 * (1 + cos(pi * ${cycles} * 2 * (${progress}))) * (1 - ${floor}) + ${floor})`;

/** The floor as a share of lr. */
const floorOf = (spec: { lr: number; minLr?: number; minLrRate?: number }): number =>
  spec.minLr === undefined ? (spec.minLrRate ?? 0) : spec.minLr / spec.lr;

/** The schedules of transformers 5.18's get_scheduler as expressions over our own. */
export const HUGGING_FACE_EXPRESSIONS = {
  "hf/constant": (spec: ScheduleOf<"hf/constant">) => constant(spec.lr),
  "hf/constant_with_warmup": (spec: ScheduleOf<"hf/constant_with_warmup">) =>
    warmed(spec.lr, spec.numWarmupSteps, constant(spec.lr)),
  "hf/linear": (spec: ScheduleOf<"hf/linear">) =>
    warmed(
      spec.lr,
      spec.numWarmupSteps,
      spec.numTrainingSteps > spec.numWarmupSteps ? line(spec.lr, 0, decaySteps(spec)) : constant(0),
    ),
  "hf/cosine": (spec: ScheduleOf<"hf/cosine">) =>
    warmed(spec.lr, spec.numWarmupSteps, lambda(spec.lr, waves(spec.numCycles, `t / ${decaySteps(spec)}`, 0))),
  "hf/cosine_with_restarts": (spec: ScheduleOf<"hf/cosine_with_restarts">) => {
    const progress = `(t / ${decaySteps(spec)})`;
    const wave = `max(0, 0.5 * (1 + cos(pi * (${spec.numCycles} * ${progress} % 1))))`;
    return warmed(spec.lr, spec.numWarmupSteps, lambda(spec.lr, `${progress} >= 1 ? 0 : ${wave}`));
  },
  "hf/polynomial": (spec: ScheduleOf<"hf/polynomial">) => {
    const { lr: start, lrEnd: end, power } = spec;
    const after: NativeSpec =
      spec.numTrainingSteps > spec.numWarmupSteps
        ? { type: "polynomial", start, end, power, steps: decaySteps(spec) }
        : constant(end);
    return warmed(start, spec.numWarmupSteps, after);
  },
  "hf/inverse_sqrt": ({ lr, numWarmupSteps, timescale }: ScheduleOf<"hf/inverse_sqrt">) =>
    warmed(lr, numWarmupSteps, { type: "inverse-sqrt", lr, timescale }),
  "hf/cosine_with_min_lr": (spec: ScheduleOf<"hf/cosine_with_min_lr">) => {
    const factor = waves(spec.numCycles, `t / ${decaySteps(spec)}`, floorOf(spec));
    return warmed(spec.lr, spec.numWarmupSteps, lambda(spec.lr, factor));
  },
  "hf/cosine_warmup_with_min_lr": (spec: ScheduleOf<"hf/cosine_warmup_with_min_lr">): NativeSpec => {
    const { lr, numWarmupSteps: steps, warmupLrRate: first } = spec;
    const after = lambda(lr, waves(spec.numCycles, `(t + 1) / ${decaySteps(spec)}`, floorOf(spec)));
    if (steps === 0) return after;
    const up = first === undefined ? `(t + 1) / ${steps}` : `${first} + (1 - ${first}) * t / ${Math.max(1, steps - 1)}`;
    return { type: "sequential", schedules: [lambda(lr, up), after], milestones: [steps] };
  },
  "hf/warmup_stable_decay": (spec: ScheduleOf<"hf/warmup_stable_decay">): NativeSpec => {
    const { lr, minLrRatio: floor, numWarmupSteps: up, numStableSteps: stable, numDecaySteps: down } = spec;
    const scaled = (factor: string) => lambda(lr, `max(0, (${factor}) * (1 - ${floor}) + ${floor})`);
    const rising = {
      linear: line(lr * floor, lr, Math.max(1, up)),
      cosine: scaled(`0.5 * (1 - cos(pi * (t / ${up})))`),
      "1-sqrt": scaled(`1 - sqrt(1 - t / ${up})`),
    };
    const falling = {
      linear: line(lr, lr * floor, Math.max(1, down)),
      cosine: lambda(lr, waves(spec.numCycles, `t / ${down}`, floor)),
      "1-sqrt": scaled(`1 - sqrt(t / ${down})`),
    };
    return {
      type: "sequential",
      schedules: [rising[spec.warmupType], constant(lr), falling[spec.decayType], constant(lr * floor)],
      milestones: [up, up + stable, up + stable + down],
    };
  },
} as const;
