import type { NativeSpec, ScheduleOf } from "../../../schemas/schedule.js";
import type { HUGGING_FACE_SCHEMAS } from "../../../schemas/schedules/hugging-face.js";
import { refuse } from "../checks.js";
import type { ScheduleDefinition } from "../definition.js";
import { greedy, reduceOnPlateau } from "../policies.js";
import type { Remarks } from "../remarks.js";
import { every, high, part, type RunDefault, runSteps } from "../run-defaults.js";
import type { LrPolicy } from "../schedule.js";

const line = (start: number, end: number, steps: number): NativeSpec => ({ type: "linear", start, end, steps });
const constant = (lr: number): NativeSpec => ({ type: "constant", lr });
const lambda = (lr: number, factor: string): NativeSpec => ({ type: "lambda", lr, factor });

/** The schedule after a warm-up in a line from 0. */
function warmed(lr: number, warmupSteps: number, after: NativeSpec): NativeSpec {
  if (warmupSteps === 0) return after;
  return { type: "sequential", schedules: [line(0, lr, warmupSteps), after], milestones: [warmupSteps] };
}

interface Horizon {
  numWarmupSteps: number;
  numTrainingSteps: number;
}

/** The steps that progress from 0 to 1 takes after the warm-up. */
const decaySteps = (spec: Horizon): number => Math.max(1, spec.numTrainingSteps - spec.numWarmupSteps);

/** Cosine waves over progress, towards the floor. The order of operations is the library's, which decides the last digits. */
const waves = (cycles: number, progress: string, floor: number): string =>
  `max(0, 0.5 * (1 + cos(pi * ${cycles} * 2 * (${progress}))) * (1 - ${floor}) + ${floor})`;

interface Floored extends Horizon {
  lr: number;
  numCycles: number;
  minLr?: number;
  minLrRate?: number;
}

/** The floor as a share of lr. */
const floorOf = (spec: Floored): number => (spec.minLr === undefined ? (spec.minLrRate ?? 0) : spec.minLr / spec.lr);

const towardsFloor = (spec: Floored): NativeSpec =>
  warmed(
    spec.lr,
    spec.numWarmupSteps,
    lambda(spec.lr, waves(spec.numCycles, `t / ${decaySteps(spec)}`, floorOf(spec))),
  );

/** A plain cosine in place of the lambda that mirrors the library's rounding. */
const plainCosine = (spec: Floored, minLr: number): NativeSpec =>
  spec.numCycles === 0.5
    ? warmed(spec.lr, spec.numWarmupSteps, { type: "cosine", lr: spec.lr, minLr, steps: decaySteps(spec) })
    : towardsFloor(spec);

const defaults = { lr: high, numTrainingSteps: runSteps };
const flooredDefaults = {
  ...defaults,
  /** Where neither it nor minLrRate is given. */
  minLr: {
    says: "low end of lrRange, unless minLrRate is given",
    of: ({ lrRange }, given) => (given.minLrRate === undefined ? lrRange[0] : undefined),
  } satisfies RunDefault,
};

function checkFloor({ lr, minLr, minLrRate }: Floored) {
  if (minLr === undefined) return [];
  return [
    ...refuse(minLrRate !== undefined, "/minLrRate", "absent where minLr is given"),
    ...refuse(minLr > lr, "/minLr", "at most lr"),
    ...refuse(lr === 0, "/lr", "above 0 where minLr is given"),
  ];
}

function lintHorizon({ numWarmupSteps, numTrainingSteps }: Horizon, { warmup, unfinished }: Remarks) {
  warmup(numWarmupSteps, "/numWarmupSteps", "within");
  unfinished(numTrainingSteps, "/numTrainingSteps");
}

function lintCosine({ numWarmupSteps, numTrainingSteps }: Horizon, { warmup, rebound, unfinished }: Remarks) {
  warmup(numWarmupSteps, "/numWarmupSteps", "within");
  rebound(numTrainingSteps, "/numTrainingSteps");
  unfinished(numTrainingSteps, "/numTrainingSteps");
}

/** The schedules of transformers 5.18's get_scheduler. */
export const HUGGING_FACE = {
  "hf/constant": {
    defaults: { lr: high },
    expression: ({ lr }) => constant(lr),
  },
  "hf/constant_with_warmup": {
    defaults: { lr: high },
    expression: ({ lr, numWarmupSteps }) => warmed(lr, numWarmupSteps, constant(lr)),
  },
  "hf/linear": {
    defaults,
    expression: (spec) => {
      const { lr, numWarmupSteps, numTrainingSteps } = spec;
      const after = numTrainingSteps > numWarmupSteps ? line(lr, 0, decaySteps(spec)) : constant(0);
      return warmed(lr, numWarmupSteps, after);
    },
    lint: lintHorizon,
  },
  "hf/cosine": {
    defaults,
    expression: towardsFloor,
    inNative: (spec) => plainCosine(spec, 0),
    lint: lintCosine,
  },
  "hf/cosine_with_restarts": {
    defaults,
    expression: (spec) => {
      const progress = `(t / ${decaySteps(spec)})`;
      const wave = `max(0, 0.5 * (1 + cos(pi * (${spec.numCycles} * ${progress} % 1))))`;
      return warmed(spec.lr, spec.numWarmupSteps, lambda(spec.lr, `${progress} >= 1 ? 0 : ${wave}`));
    },
    lint: lintHorizon,
  },
  "hf/polynomial": {
    defaults,
    expression: (spec) => {
      const { lr: start, lrEnd: end, power, numWarmupSteps, numTrainingSteps } = spec;
      const after: NativeSpec =
        numTrainingSteps > numWarmupSteps
          ? { type: "polynomial", start, end, power, steps: decaySteps(spec) }
          : constant(end);
      return warmed(start, numWarmupSteps, after);
    },
    check: ({ lr, lrEnd }) => refuse(lrEnd >= lr, "/lrEnd", "below lr"),
    lint: (spec, remarks) => {
      lintHorizon(spec, remarks);
      if (spec.numTrainingSteps === spec.numWarmupSteps) {
        const message = "transformers divides by zero; here lrEnd follows";
        remarks.remark("warning", "library-crash", "/numTrainingSteps", message);
      }
    },
  },
  "hf/inverse_sqrt": {
    defaults: {
      lr: high,
      timescale: {
        says: "numWarmupSteps, or 10000 where that is 0",
        of: (_context, given) => Number(given.numWarmupSteps) || 10_000,
      },
    },
    expression: ({ lr, numWarmupSteps, timescale }) =>
      warmed(lr, numWarmupSteps, { type: "inverse-sqrt", lr, timescale }),
  },
  "hf/reduce_lr_on_plateau": {
    defaults: { lr: high, every },
    policy: (spec) => reduceOnPlateau(spec) as LrPolicy,
  },
  "hf/cosine_with_min_lr": {
    defaults: flooredDefaults,
    expression: towardsFloor,
    inNative: (spec) => plainCosine(spec, spec.minLr ?? (spec.minLrRate ?? 0) * spec.lr),
    check: checkFloor,
    lint: lintCosine,
  },
  "hf/cosine_warmup_with_min_lr": {
    defaults: flooredDefaults,
    expression: (spec) => {
      const { lr, numWarmupSteps: steps, warmupLrRate: first } = spec;
      const after = lambda(lr, waves(spec.numCycles, `(t + 1) / ${decaySteps(spec)}`, floorOf(spec)));
      if (steps === 0) return after;
      const up =
        first === undefined ? `(t + 1) / ${steps}` : `${first} + (1 - ${first}) * t / ${Math.max(1, steps - 1)}`;
      return { type: "sequential", schedules: [lambda(lr, up), after], milestones: [steps] };
    },
    check: checkFloor,
    lint: lintCosine,
  },
  "hf/warmup_stable_decay": {
    defaults: {
      lr: high,
      numDecaySteps: part(0.2, 0),
      numStableSteps: {
        says: "what warm-up and decay leave of numTrainingSteps, or of the run's steps",
        of: ({ steps }, given) =>
          Number(given.numTrainingSteps ?? steps) - Number(given.numWarmupSteps) - Number(given.numDecaySteps),
      },
    },
    expression: (spec) => warmupStableDecay(spec),
    check: ({ numStableSteps }) =>
      refuse(numStableSteps < 0, "/numTrainingSteps", "at least numWarmupSteps + numDecaySteps"),
    lint: ({ numWarmupSteps, numStableSteps, numDecaySteps }, { warmup }) =>
      warmup(numWarmupSteps, "/numWarmupSteps", { after: numStableSteps + numDecaySteps }),
  },
  "hf/greedy": {
    defaults: { lr: high, every },
    policy: (spec) => greedy(spec) as LrPolicy,
    check: ({ minLr, maxLr }) => refuse(minLr > maxLr, "/maxLr", "at least minLr"),
  },
} satisfies { readonly [T in keyof typeof HUGGING_FACE_SCHEMAS]: ScheduleDefinition<T> };

function warmupStableDecay(spec: ScheduleOf<"hf/warmup_stable_decay">): NativeSpec {
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
}
