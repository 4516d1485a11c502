import { buildSchedule, isMetricDriven } from "../../core/schedules/build.js";
import { baseRate } from "../../core/schedules/rates.js";
import { LIMITS } from "../../spec/limits.js";
import type { Run, RunRequest, RunSpec } from "../../spec/run.js";
import { number } from "../format.js";

export const titleOf = (run: Run): string => run.spec.name ?? run.id.slice(-8);

export const isSweep = ({ schedule }: RunSpec): boolean => schedule.type === "sweep";

const SAMPLES = 200;
const ranges = new WeakMap<RunSpec, string>();

/** Lowest and highest rate of a run's schedule, sampled; a metric-driven one's starting rate. */
export function lrRange(spec: RunSpec): string {
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
  const steps = end - (from?.scheduleFrom ?? 0);
  if (isMetricDriven(schedule)) return `from ${number(baseRate(schedule), 3)}`;
  const lr = buildSchedule(schedule);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < SAMPLES; i++) {
    const value = lr(Math.round((i * (steps - 1)) / (SAMPLES - 1)));
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low === high ? number(low, 3) : `${number(low, 3)} – ${number(high, 3)}`;
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
