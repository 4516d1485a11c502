import type { ScheduleRequest, ScheduleSpec } from "../../schemas/schedule.js";
import type { Result } from "../result.js";
import { rateParameter } from "../schedules/rates.js";
import { resolveSchedule } from "../schedules/resolve.js";

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

/** Where a schedule's low end is not given and the portfolio has no shape for its type: so many times below the rate. */
const LOW_END = 100;

/**
 * The schedule that a request with an open rate means at a rate and a horizon (steps). A type of the portfolio has the
 * portfolio's shape where the request says nothing else. Rates that say "auto" all become `lr`.
 */
export function scheduleAt(request: Exclude<ScheduleRequest, string>, lr: number, steps: number): Result<ScheduleSpec> {
  const rateName = rateParameter(request.type);
  const shape = PORTFOLIO[request.type]?.(lr, steps) ?? {};
  const own = rateName === null || (request[rateName] ?? "auto") !== "auto" ? {} : { [rateName]: lr };
  const filled = { ...shape, ...withoutAuto(request, lr), ...own } as ScheduleRequest;
  return resolveSchedule(filled, { steps, lrRange: [lr / LOW_END, lr] });
}

function withoutAuto(node: Readonly<Record<string, unknown>>, lr: number): Record<string, unknown> {
  const value = (item: unknown): unknown => {
    if (item === "auto") return lr;
    if (Array.isArray(item)) return item.map(value);
    return typeof item === "object" && item !== null ? withoutAuto(item as Record<string, unknown>, lr) : item;
  };
  return Object.fromEntries(Object.entries(node).map(([name, item]) => [name, value(item)]));
}
