import { buildSchedule, isMetricDriven } from "../../core/schedules/build.js";
import { baseRate } from "../../core/schedules/rates.js";
import { LIMITS } from "../../schemas/limits.js";
import { type Run, type RunRequest, type RunSpec, TERMINAL_STATUSES } from "../../schemas/run.js";
import { number, whole } from "../format.js";

/** What there is to say against how it ended; null: nothing. The server works it out: core/warnings.ts. */
export const poorResult = ({ warnings }: Run): string | null =>
  warnings.find(({ code }) => code === "worse-than-guessing")?.message ?? null;

export const titleOf = (run: Run): string => run.spec.name ?? run.id.slice(-8);

/** A run's page says what it is: its name, and its schedule with the rates. */
export function headingOf(run: Run): string {
  const what = `${scheduleName(run)} ${lrRange(run.spec)}`.trim();
  return run.spec.name === null ? what : `${run.spec.name}: ${what}`;
}

/** The rest of a spec in one line: what is as it is by default is left out. */
export function specLine({
  steps,
  batchSize,
  optimizer,
  dataset,
  model,
  seed,
  engine,
  replicas,
  evalEvery,
}: ShownSpec): string {
  const { type, ...own } = optimizer;
  const settings = Object.entries(own).filter(([, value]) => value !== 0 && value !== false);
  const layers = [model.contextLength * model.embeddingDim, ...model.hiddenSizes].join("–");
  return [
    steps === 1 ? "1 step" : `${whole(steps)} steps`,
    batchSize === "full" ? "full batch" : `batch ${whole(batchSize)}`,
    [type, ...settings.map(([name, value]) => `${name} ${value}`)].join(" "),
    `${dataset.name}${dataset.limit === null ? "" : ` (first ${whole(dataset.limit)})`}`,
    `${model.activation} MLP ${layers}`,
    ...(replicas > 1 ? [`${replicas} replicas`] : []),
    `seed ${seed}`,
    ...(evalEvery > 0 ? [`validated every ${whole(evalEvery)}`] : []),
    engine,
  ].join(" · ");
}

/** Its schedule is null while it waits for a search. */
export type ShownSpec = Run["spec"];
export const isSettled = (spec: ShownSpec): spec is RunSpec => spec.schedule !== null;

export const scheduleName = ({ spec, status }: Run): string =>
  spec.schedule?.type ?? (TERMINAL_STATUSES.includes(status) ? "none" : "searching…");

export const isSweep = ({ schedule }: ShownSpec): boolean => schedule?.type === "sweep";

const SAMPLES = 200;
const ranges = new WeakMap<ShownSpec, string>();

/** Lowest and highest rate of a run's schedule; a metric-driven one's starting rate. */
export function lrRange(spec: ShownSpec): string {
  if (!isSettled(spec)) return "";
  let text = ranges.get(spec);
  if (text === undefined) {
    try {
      text = computeRange(spec);
    } catch {
      // A run stored by another version, whose schedule this one cannot work out: one cell less, not the whole list.
      text = "–";
    }
    ranges.set(spec, text);
  }
  return text;
}

function computeRange({ schedule, steps: end, from }: RunSpec): string {
  if (isMetricDriven(schedule)) return `from ${number(baseRate(schedule), 3)}`;
  const lr = buildSchedule(schedule);
  const last = end - (from?.scheduleFrom ?? 0) - 1;
  const low = number(-highest((step) => -lr(step), last), 3);
  const high = number(highest(lr, last), 3);
  return low === high ? low : `${low} – ${high}`;
}

/**
 * The highest rate of the steps [0, last], looked for ever closer around the highest of a sample: the true one wherever a
 * curve has few peaks, or its highest peaks are alike.
 */
function highest(lr: (step: number) => number, last: number): number {
  let [from, to, best] = [0, last, 0];
  for (;;) {
    const stride = Math.max(1, Math.ceil((to - from) / SAMPLES));
    for (let step = from; step < to + stride; step += stride) {
      const there = Math.min(step, to);
      if (lr(there) > lr(best)) best = there;
    }
    if (stride === 1) return lr(best);
    from = Math.max(0, best - stride);
    to = Math.min(last, best + stride);
  }
}

/** A request that makes the same run again. */
export function requestOf(spec: RunSpec): RunRequest {
  const { steps, batchSize, seed, evalEvery, checkpointEvery, labels, stopOnDivergence, name, from } = spec;
  const schedule = spec.schedule as NonNullable<RunRequest["schedule"]>;
  const own = {
    steps,
    batchSize,
    seed,
    evalEvery,
    checkpointEvery,
    labels,
    ...(stopOnDivergence === null ? {} : { stopOnDivergence }),
    ...(name === null ? {} : { name }),
  };
  if (from !== null) {
    const { run, step, scheduleFrom } = from;
    return { ...own, from: { run, step }, ...(scheduleFrom === step ? { schedule } : {}) };
  }
  const { model, optimizer, dataset, engine, replicas } = spec;
  return {
    ...own,
    model,
    optimizer,
    schedule,
    dataset: dataset.name,
    ...(dataset.limit === null ? {} : { datasetLimit: dataset.limit }),
    ...(engine === "auto" ? {} : { engine }),
    ...(replicas === 1 ? {} : { replicas }),
  };
}

/** A request that goes on from where a run is, as long again as it has been. */
export function forkOf({ id, progress, spec }: Run): RunRequest {
  return { steps: Math.min(LIMITS.steps, 2 * spec.steps), from: { run: id, step: progress.steps } };
}

/** A spec's leaves by path, as text: what a table of differences compares. */
export function flatten(value: unknown, path = ""): Map<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return new Map([[path, typeof value === "string" ? value : JSON.stringify(value)]]);
  }
  const entries = Object.entries(value).flatMap(([key, inner]) => [
    ...flatten(inner, path === "" ? key : `${path}.${key}`),
  ]);
  return new Map(entries);
}
