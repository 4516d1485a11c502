import type { ScheduleOf, ScheduleType } from "../../schemas/schedule.js";
import { pow } from "../pow.js";

/** What a schedule's missing parameters are filled in from. */
export interface ScheduleContext {
  /** Steps of the run. */
  readonly steps: number;
  /** [low, high] of the request; high is where a schedule starts or peaks, low is where it ends or its floor. */
  readonly lrRange: readonly [number, number];
}

type Given = Readonly<Record<string, unknown>>;

/** A default that depends on the run or on what else is given, with the words that tell of it. */
export interface RunDefault {
  readonly says: string;
  of(context: ScheduleContext, given: Given): unknown;
}

/** By parameter. */
export type Defaults<T extends ScheduleType> = { readonly [P in Exclude<keyof ScheduleOf<T>, "type">]?: RunDefault };

export const low: RunDefault = { says: "low end of lrRange", of: ({ lrRange }) => lrRange[0] };
export const high: RunDefault = { says: "high end of lrRange", of: ({ lrRange }) => lrRange[1] };
export const middle: RunDefault = {
  says: "geometric mean of lrRange",
  of: ({ lrRange }) => Math.sqrt(lrRange[0] * lrRange[1]),
};
export const runSteps: RunDefault = { says: "the run's steps", of: ({ steps }) => steps };
export const part = (share: number, least = 1): RunDefault => ({
  says: `${share * 100}% of the run's steps`,
  of: ({ steps }) => Math.max(least, Math.floor(steps * share)),
});
export const halfAndThreeQuarters: RunDefault = {
  says: "half and three quarters of the run's steps",
  of: ({ steps }) => [Math.floor(steps * 0.5), Math.floor(steps * 0.75)],
};
export const lowOverHigh: RunDefault = {
  says: "low end over high end of lrRange",
  of: ({ lrRange: [from, to] }) => from / to,
};
export const decayPerStep: RunDefault = {
  says: "falls from high to low end of lrRange in the run",
  of: ({ steps, lrRange: [from, to] }) => pow(from / to, 1 / Math.max(1, steps - 1)),
};
export const same = (name: string): RunDefault => ({ says: `as ${name}`, of: (_context, given) => given[name] });
/** Steps between observations. */
export const every: RunDefault = part(0.01);
