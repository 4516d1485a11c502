import { LIMITS } from "../../schemas/limits.js";
import {
  isChildKey,
  SCHEDULE_SCHEMAS,
  type ScheduleRequest,
  type ScheduleRequestObject,
  type ScheduleSpec,
} from "../../schemas/schedule.js";
import type { Result } from "../result.js";
import { substituteRate } from "../schedules/auto-rate.js";
import { rateParameter } from "../schedules/rates.js";
import { resolveSchedule } from "../schedules/resolve.js";

/** Whether a schedule is valid does not depend on it; none that a request would say, so that it is seen where it is the same. */
export const SOME_RATE = 0.123457;

type Shape = (lr: number, steps: number) => Readonly<Record<string, unknown>>;

const share = (steps: number, part: number) => Math.round(steps * part);

/**
 * The schedules that a search tries when it is told none, each as its literature has it, in terms of the rate that is sought
 * and of the horizon. The first one is scanned first, and the others around it.
 */
export const PORTFOLIO: Readonly<Record<string, Shape>> = {
  linear: () => ({ end: 0 }),
  cosine: () => ({ minLr: 0 }),
  "warmup-stable-decay": (_lr, steps) => ({
    startLr: 0,
    endLr: 0,
    warmupSteps: share(steps, 0.05),
    decaySteps: share(steps, 0.2),
    stableSteps: steps - share(steps, 0.05) - share(steps, 0.2),
  }),
  "one-cycle": (lr) => ({ initialLr: lr / 25, finalLr: 0 }),
  step: (_lr, steps) => ({ milestones: [Math.max(1, share(steps, 0.75))], gamma: 0.1 }),
  constant: () => ({}),
  "inverse-sqrt": (_lr, steps) => ({ timescale: steps / 99 }),
};

/** Other shapes of the portfolio's schedules, for `of` steps; each stands beside the portfolio's own. */
export const SHAPES: Readonly<Record<string, (of: number) => readonly { name: string; given: object }[]>> = {
  "warmup-stable-decay": (of) =>
    [0.1, 0.4, 0.7].map((decay) => ({
      name: `decay ${100 * decay} %`,
      given: {
        warmupSteps: share(of, 0.05),
        decaySteps: share(of, decay),
        stableSteps: of - share(of, 0.05) - share(of, decay),
      },
    })),
  step: (of) =>
    [0.6, 0.9].map((at) => ({ name: `at ${100 * at} %`, given: { milestones: [Math.max(1, share(of, at))] } })),
  "one-cycle": () => [0.1, 0.5].map((pctStart) => ({ name: `rise ${100 * pctStart} %`, given: { pctStart } })),
};

/** Where a schedule's low end is not given and the portfolio has no shape for its type: so many times below the rate. */
const LOW_END = 100;

/**
 * The schedule that a request with an open rate means at a rate and a horizon (steps). A type of the portfolio has the
 * portfolio's shape where the request says nothing else. Rates that say "auto" all become `lr`. What the request counts in
 * steps is meant for `of` steps, and shrinks with the horizon.
 */
export function scheduleAt(
  request: ScheduleRequestObject,
  lr: number,
  steps: number,
  of: number,
): Result<ScheduleSpec> {
  const shape = PORTFOLIO[request.type]?.(lr, steps) ?? {};
  const rate = rateParameter(request.type);
  const own = rateless(request, rate) ? { [rate!]: lr } : {};
  const given = shrunk(substituteRate(request, lr) as ScheduleRequestObject, steps / of);
  return resolveSchedule({ ...shape, ...given, ...own } as ScheduleRequest, { steps, lrRange: [lr / LOW_END, lr] });
}

const rateless = (request: ScheduleRequestObject, rate: string | null) => rate !== null && request[rate] === undefined;

/** Positions and lengths in steps, of nested schedules too, times `factor`; what counts observations of a metric stays. */
function shrunk(request: ScheduleRequestObject, factor: number): ScheduleRequestObject {
  if (factor === 1) return request;
  const properties = SCHEDULE_SCHEMAS[request.type].properties as Readonly<Record<string, { maximum?: number }>>;
  const scale = (value: unknown): unknown => {
    if (typeof value === "number") return value === 0 ? 0 : Math.max(1, Math.round(value * factor));
    return Array.isArray(value)
      ? value.map((item) => (Array.isArray(item) ? [scale(item[0]), ...item.slice(1)] : scale(item)))
      : value;
  };
  const entries = Object.entries(request).map(([name, value]) => {
    if (isChildKey(name)) {
      const child = (each: unknown) =>
        typeof each === "string" ? each : shrunk(each as ScheduleRequestObject, factor);
      return [name, Array.isArray(value) ? value.map(child) : child(value)];
    }
    const inSteps = STEP_LISTS.has(name) || (properties[name]?.maximum === LIMITS.steps && !OBSERVATIONS.has(name));
    return [name, inSteps ? scale(value) : value];
  });
  return Object.fromEntries(entries) as ScheduleRequestObject;
}

const STEP_LISTS = new Set(["milestones", "boundaries", "points", "rates"]);
const OBSERVATIONS = new Set(["patience", "cooldown", "resetStart"]);
