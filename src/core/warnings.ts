import type { RunRequest, RunResult, RunSpec } from "../schemas/run.js";
import type { ScheduleSpec, ScheduleType } from "../schemas/schedule.js";
import type { SearchRequest, SearchSpec } from "../schemas/search.js";
import type { Warning } from "../schemas/warning.js";
import { buildSchedule, isMetricDriven } from "./schedules/build.js";
import { lintSchedule } from "./schedules/lint.js";
import { rateParameter } from "./schedules/rates.js";
import { SOME_RATE, scheduleAt } from "./search/portfolio.js";

/** What a library's own habit is, or is said in a preview early enough. */
const HARMLESS: ReadonlySet<string> = new Set(["first-step-at-zero", "unlike-library"]);
const CONSTANT: ReadonlySet<ScheduleType> = new Set([
  "constant",
  "ConstantLR",
  "hf/constant",
  "optax/constant_schedule",
]);
/** Rates that are looked at to find a schedule in which nothing happens. */
const LOOKED_AT = 200;
/** Types whose rates follow from the ones before: over more steps than these they are not looked at. */
const RECURRENT = /"(multiplicative|MultiplicativeLR|SequentialLR|ChainedScheduler|CosineAnnealingLR)"/;
const RECURRENT_STEPS = 100_000;

/** Remarks on a run's request that is valid but surely meant otherwise. `spec`: what it was resolved to. */
export function requestWarnings(request: RunRequest, spec: RunSpec): Warning[] {
  return [...scheduleWarnings(request, spec), ...outsideRange(request, spec.schedule), ...beyondEnd(spec)];
}

/** The same on a search's request. */
export function searchWarnings({ budget, schedules: given = [] }: SearchRequest, spec: SearchSpec): Warning[] {
  const { steps, schedules, seeds } = spec;
  const found = given.flatMap((request, i) => {
    // A type alone is as its literature has it.
    if (typeof request === "string") return [];
    const resolved = scheduleAt(request, SOME_RATE, steps, steps);
    return resolved.ok ? remarksOn(resolved.value, steps, `/schedules/${i}`) : [];
  });
  const least = steps * (schedules.length + seeds);
  if (budget === undefined || spec.budget >= least) return found;
  const message = `${spec.budget} steps in all are too few to settle anything: one training of ${steps} steps for each of the ${schedules.length} schedules and ${seeds} to verify the best take ${least}`;
  return [
    ...found,
    { code: "budget-short", pointer: budget.steps === undefined ? "/budget/seconds" : "/budget/steps", message },
  ];
}

function scheduleWarnings(request: RunRequest, { schedule, steps, from }: RunSpec): Warning[] {
  // A fork's schedule that merely goes on was remarked on where it began.
  if (from !== null && request.schedule === undefined) return [];
  const own = steps - (from?.scheduleFrom ?? 0);
  const found = remarksOn(schedule, own, "/schedule");
  return found.length > 0 || !ratesAreSeen(schedule, own) ? found : flat(schedule, own);
}

/** Whether a schedule's rates are looked at too, and not its parameters alone. */
const ratesAreSeen = (schedule: ScheduleSpec, steps: number): boolean =>
  steps <= RECURRENT_STEPS || !RECURRENT.test(JSON.stringify(schedule));

/** What a schedule does that was hardly meant. */
function remarksOn(schedule: ScheduleSpec, steps: number, parent: string): Warning[] {
  return lintSchedule(schedule, { steps, curve: ratesAreSeen(schedule, steps) })
    .filter(({ code, severity }) => severity !== "info" && !HARMLESS.has(code))
    .map(({ code, pointer, message }) => ({ code, pointer: parent + pointer, message }));
}

/** A schedule by whose name the rate should move, and it does not. */
function flat(schedule: ScheduleSpec, steps: number): Warning[] {
  if (CONSTANT.has(schedule.type) || isMetricDriven(schedule) || steps < 2) return [];
  const lr = buildSchedule(schedule);
  const first = lr(0);
  for (let i = 1; i <= LOOKED_AT; i++) if (lr(Math.round((i * (steps - 1)) / LOOKED_AT)) !== first) return [];
  const message = `the rate is ${first} at each of the ${steps} steps: nothing that ${schedule.type} does happens in them`;
  return [{ code: "flat", pointer: "/schedule", message }];
}

/** A rate that is given, and that the range beside it leaves out. */
function outsideRange({ lrRange, schedule: asked }: RunRequest, { type }: ScheduleSpec): Warning[] {
  if (lrRange === undefined || typeof asked !== "object") return [];
  const [low, high] = lrRange;
  const given = asked as Readonly<Record<string, unknown>>;
  const main = rateParameter(type);
  return (main === null ? ["start", "end"] : [main]).flatMap((name) => {
    const rate = given[name];
    if (typeof rate !== "number" || (rate >= low && rate <= high)) return [];
    const message = `${rate} is outside lrRange, [${low}, ${high}], which sets only what is not given`;
    return [{ code: "outside-range", pointer: `/schedule/${name}`, message }];
  });
}

function beyondEnd({ steps, evalEvery, checkpointEvery }: RunSpec): Warning[] {
  return Object.entries({ evalEvery, checkpointEvery }).flatMap(([name, every]) =>
    every <= steps
      ? []
      : [{ code: "beyond-end", pointer: `/${name}`, message: `${every} steps are never done: the run has ${steps}` }],
  );
}

/** Of a run by TensorFlow.js, once it has begun: what its fastest backend there was. */
export function engineWarnings({ engine }: RunSpec, build: string | null): Warning[] {
  const backend = /^tfjs-[\d.]+-(wasm|cpu)$/.exec(build ?? "")?.[1];
  if (engine !== "tfjs" || backend === undefined) return [];
  const message = `tfjs computes with its ${backend} backend there, since TensorFlow's native binding is not installed: \`npm run install:tfjs\`, or engine tfjs-node, which is refused where there is none`;
  return [{ code: "backend-not-native", pointer: "/engine", message }];
}

/** `guessLoss`: what guessing costs, ln of the number of symbols, nats. */
export function resultWarnings(result: RunResult | null, guessLoss: number): Warning[] {
  const loss = result?.finalValidationLoss ?? null;
  if (loss === null || loss < guessLoss) return [];
  const message = `the validation loss ${shown(loss)} is no better than guessing, which costs ${shown(guessLoss)}: the rate was too high, or the steps too few`;
  return [{ code: "worse-than-guessing", pointer: "/result/finalValidationLoss", message }];
}

const shown = (loss: number) => Number(loss.toPrecision(4));
