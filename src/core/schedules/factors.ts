import { SCHEDULE_LIMITS } from "../../schemas/schedules/fields.js";
import { type Factor, parseExpression } from "./expression.js";
import type { Schedule } from "./schedule.js";

/** The `factor` of a lambda or multiplicative schedule: an expression in t, or rows [step, factor]. */
export type FactorSpec = string | readonly (readonly [number, number])[];

/** Index of the last row whose step is at most t; -1 before the first. Rows ascend. */
export function rowAt(rows: readonly (readonly [number, number])[], t: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]![0] <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Throws RangeError for an expression that resolve would have refused. */
export function buildFactor(spec: FactorSpec): Factor {
  if (typeof spec === "string") {
    const parsed = parseExpression(spec, SCHEDULE_LIMITS);
    if (!parsed.ok) throw new RangeError(parsed.errors[0]!.expected);
    return parsed.value;
  }
  return (t) => spec[rowAt(spec, t)]?.[1] ?? 1;
}

/**
 * The schedule of a recurrence: `next(t, lr of step t - 1)` is the rate of step t. It remembers the last step asked for,
 * so that ascending steps cost one update each; a step further back starts from 0 again. The result depends on the step alone.
 */
export function recurrence(first: number, next: (t: number, lr: number) => number): Schedule {
  let at = 0;
  let lr = first;
  return (step) => {
    if (step < at) {
      at = 0;
      lr = first;
    }
    while (at < step) {
      at += 1;
      lr = next(at, lr);
    }
    return lr;
  };
}
