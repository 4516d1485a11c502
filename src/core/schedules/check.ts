import { LIMITS } from "../../schemas/limits.js";
import type { FieldError } from "../../schemas/problem.js";
import type { ScheduleSpec } from "../../schemas/schedule.js";
import { SCHEDULE_LIMITS } from "../../schemas/schedules/fields.js";
import { buildSchedule } from "./build.js";
import { parseExpression } from "./expression.js";
import type { FactorSpec } from "./factors.js";
import { baseRate } from "./rates.js";
import { CHAINABLE } from "./torch.js";

const refuse = (failed: boolean, pointer: string, expected: string): FieldError[] =>
  failed ? [{ pointer, expected }] : [];

/** What a JSON schema cannot say of a resolved schedule: relations between parameters. Children are checked before. */
export function check(spec: ScheduleSpec, steps: number): FieldError[] {
  switch (spec.type) {
    case "step": {
      const { stepSize, milestones } = spec;
      if (milestones === undefined) return [];
      return [
        ...refuse(stepSize !== undefined, "/milestones", "absent where stepSize is given"),
        ...ascending(milestones, "/milestones", "milestones"),
      ];
    }
    case "multi-step":
    case "MultiStepLR":
      return ascending(spec.milestones, "/milestones", "milestones");
    case "piecewise":
      return rows(spec.points, "/points");
    case "override":
      return rows(spec.rates, "/rates");
    case "cyclic":
      return refuse(spec.baseLr > spec.maxLr, "/maxLr", "at least baseLr");
    case "clamp":
      return refuse(spec.min > spec.max, "/max", "at least min");
    case "greedy":
    case "hf/greedy":
      return refuse(spec.minLr > spec.maxLr, "/maxLr", "at least minLr");
    case "sequential":
      return sequence(spec.schedules.length, spec.milestones, "/milestones");
    case "SequentialLR":
      return sequence(spec.schedulers.length, spec.milestones, "/milestones");
    case "optax/join_schedules":
      return sequence(spec.schedules.length, spec.boundaries, "/boundaries");
    case "chained":
      return spec.schedules.flatMap((child, i) =>
        refuse(
          (baseRate(child as ScheduleSpec) ?? spec.lr) === 0,
          `/schedules/${i}`,
          "a schedule with a base rate above 0, as factors are relative to it",
        ),
      );
    case "ChainedScheduler":
      if (spec.schedulers.length * steps > SCHEDULE_LIMITS.recurrenceCost) return [tooLong("/schedulers", steps)];
      return spec.schedulers.flatMap((child, i) => [
        ...refuse(!CHAINABLE.includes(child.type), `/schedulers/${i}/type`, `one of ${CHAINABLE.join(", ")}`),
        ...refuse(
          CHAINABLE.includes(child.type) && child.lr !== spec.lr,
          `/schedulers/${i}/lr`,
          "absent, or the ChainedScheduler's own lr",
        ),
      ]);
    case "lambda":
    case "multiplicative":
      return factor(spec, spec.factor as FactorSpec, "/factor", steps);
    case "LambdaLR":
    case "MultiplicativeLR":
      return factor(spec, spec.lrLambda as FactorSpec, "/lrLambda", steps);
    case "OneCycleLR":
      return oneCycleSteps(spec.totalSteps, spec.epochs, spec.stepsPerEpoch);
    case "hf/polynomial":
      return refuse(spec.lrEnd >= spec.lr, "/lrEnd", "below lr");
    case "hf/cosine_with_min_lr":
    case "hf/cosine_warmup_with_min_lr":
      return [
        ...refuse(
          spec.minLr !== undefined && spec.minLrRate !== undefined,
          "/minLrRate",
          "absent where minLr is given",
        ),
        ...refuse(spec.minLr !== undefined && spec.minLr > spec.lr, "/minLr", "at most lr"),
        ...refuse(spec.minLr !== undefined && spec.lr === 0, "/lr", "above 0 where minLr is given"),
      ];
    case "hf/warmup_stable_decay":
      return refuse(spec.numStableSteps < 0, "/numTrainingSteps", "at least numWarmupSteps + numDecaySteps");
    case "optax/warmup_cosine_decay_schedule":
      return refuse(spec.decaySteps <= spec.warmupSteps, "/decaySteps", "more than warmupSteps, which it includes");
    case "optax/sgdr_schedule":
      return spec.cosineKwargs.flatMap(({ decaySteps, warmupSteps }, i) =>
        refuse(decaySteps <= warmupSteps, `/cosineKwargs/${i}/decaySteps`, "more than warmupSteps, which it includes"),
      );
    case "optax/reduce_on_plateau":
      return refuse(spec.rtol === 0 && spec.atol === 0, "/rtol", "above 0 where atol is 0");
    default:
      return [];
  }
}

function ascending(values: readonly number[], pointer: string, name: string): FieldError[] {
  const bad = values.findIndex((value, i) => i > 0 && value < values[i - 1]!);
  return refuse(bad >= 0, `${pointer}/${bad}`, `${name} in ascending order`);
}

function rows(table: readonly (readonly [number, number])[], pointer: string): FieldError[] {
  const bad = table.findIndex(([step], i) => i > 0 && step <= table[i - 1]![0]);
  return refuse(bad >= 0, `${pointer}/${bad}/0`, "a step above the one before");
}

function sequence(count: number, milestones: readonly number[], pointer: string): FieldError[] {
  return [
    ...refuse(milestones.length !== count - 1, pointer, `${count - 1} steps, one fewer than there are schedules`),
    ...ascending(milestones, pointer, "steps"),
  ];
}

function oneCycleSteps(totalSteps: number, epochs: number | undefined, perEpoch: number | undefined): FieldError[] {
  if ((epochs === undefined) !== (perEpoch === undefined)) {
    return [
      { pointer: epochs === undefined ? "/epochs" : "/stepsPerEpoch", expected: "epochs and stepsPerEpoch together" },
    ];
  }
  if (epochs === undefined) return [];
  const product = epochs * perEpoch!;
  return [
    ...refuse(product > LIMITS.steps, "/epochs", `epochs * stepsPerEpoch at most ${LIMITS.steps}`),
    ...refuse(
      product !== totalSteps,
      "/totalSteps",
      "absent where epochs and stepsPerEpoch are given, or their product",
    ),
  ];
}

const tooLong = (pointer: string, steps: number): FieldError => ({
  pointer,
  expected: `something shorter for a run of ${steps} steps, as each step's rate follows from the one before`,
});

const CHECKED_STEPS = 1000;
/** Beyond this a product of factors would cost too long to check. */
const CHECKED_UP_TO = 100_000;

/** The factors parse, tables ascend, and the rate is a number from 0 up on the first steps and on a grid over the run. */
function factor(spec: ScheduleSpec, value: FactorSpec, pointer: string, steps: number): FieldError[] {
  if (typeof value === "string") {
    const parsed = parseExpression(value, SCHEDULE_LIMITS);
    if (!parsed.ok) return parsed.errors.map((error) => ({ ...error, pointer }));
    const recurrent = spec.type === "multiplicative" || spec.type === "MultiplicativeLR";
    if (recurrent && (value.length / 4) * steps > SCHEDULE_LIMITS.recurrenceCost) return [tooLong(pointer, steps)];
  } else {
    const errors = rows(value, pointer);
    if (errors.length > 0) return errors;
  }
  const schedule = buildSchedule(spec);
  const last = Math.min(steps, CHECKED_UP_TO) - 1;
  for (let i = 0; i < 2 * CHECKED_STEPS; i++) {
    const step = i < CHECKED_STEPS ? i : Math.floor(((i + 1 - CHECKED_STEPS) * last) / CHECKED_STEPS);
    if (step > last) continue;
    const lr = schedule(step);
    if (!(lr >= 0 && lr <= LIMITS.lr)) {
      return [{ pointer, expected: `rates from 0 to ${LIMITS.lr}; at step ${step} it gives ${lr}` }];
    }
  }
  return [];
}
