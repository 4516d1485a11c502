import { LIMITS } from "../../schemas/limits.js";
import type { FieldError } from "../../schemas/problem.js";
import { SCHEDULE_LIMITS } from "../../schemas/schedules/fields.js";
import { parseExpression } from "./expression.js";
import type { FactorSpec } from "./factors.js";
import type { Schedule } from "./schedule.js";

/* What the definitions of several schedule types check. */

export const refuse = (failed: boolean, pointer: string, expected: string): FieldError[] =>
  failed ? [{ pointer, expected }] : [];

export function ascending(values: readonly number[], pointer: string, name: string): FieldError[] {
  const bad = values.findIndex((value, i) => i > 0 && value < values[i - 1]!);
  return refuse(bad >= 0, `${pointer}/${bad}`, `${name} in ascending order`);
}

export function rows(table: readonly (readonly [number, number])[], pointer: string): FieldError[] {
  const bad = table.findIndex(([step], i) => i > 0 && step <= table[i - 1]![0]);
  return refuse(bad >= 0, `${pointer}/${bad}/0`, "a step above the one before");
}

export function sequence(count: number, milestones: readonly number[], pointer: string): FieldError[] {
  return [
    ...refuse(milestones.length !== count - 1, pointer, `${count - 1} steps, one fewer than there are schedules`),
    ...ascending(milestones, pointer, "steps"),
  ];
}

export const tooLong = (pointer: string, steps: number): FieldError => ({
  pointer,
  expected: `something shorter for a run of ${steps} steps, as each step's rate follows from the one before`,
});

const CHECKED_STEPS = 1000;
/** Beyond this a product of factors would cost too long to check. */
const CHECKED_UP_TO = 100_000;

/** The factors parse, tables ascend, and the rate is a number from 0 up on the first steps and on a grid over the run. */
export function factorErrors(
  factor: FactorSpec,
  pointer: string,
  steps: number,
  { recurrent, schedule: build }: { recurrent: boolean; schedule: () => Schedule },
): FieldError[] {
  if (typeof factor === "string") {
    const parsed = parseExpression(factor, SCHEDULE_LIMITS);
    if (!parsed.ok) return parsed.errors.map((error) => ({ ...error, pointer }));
    if (recurrent && (factor.length / 4) * steps > SCHEDULE_LIMITS.recurrenceCost) return [tooLong(pointer, steps)];
  } else {
    const errors = rows(factor, pointer);
    if (errors.length > 0) return errors;
  }
  const schedule = build();
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
