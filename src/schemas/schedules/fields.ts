import { type TProperties, Type } from "typebox";
import { LIMITS } from "../limits.js";
import { named, pascalCase, strict } from "../strict.js";

/** Bounds on schedules that contain schedules and on the lists and expressions inside them. */
export const SCHEDULE_LIMITS = {
  /** Levels: a leaf alone is 1. */
  depth: 4,
  /** Schedules in one spec, itself included. */
  nodes: 64,
  /** Milestones, points or table rows in one list. */
  list: 1000,
  expressionLength: 500,
  expressionNodes: 200,
  /** Steps of a run times the parts of a recurrence: such rates must be worked out from step 0. */
  recurrenceCost: 10_000_000,
} as const;

/** A schedule inside another one; checked to be a ScheduleSpec when it is resolved. */
export interface NestedSchedule {
  readonly type: string;
  readonly [parameter: string]: unknown;
}

/** An object schema with its `type`; nothing beyond the parameters listed is allowed. */
export function scheduleType<T extends string, P extends TProperties>(type: T, description: string, parameters: P) {
  return Type.Object(
    { type: Type.Literal(type), ...parameters },
    { ...strict, description, ...named(`${pascalCase(type)}Schedule`) },
  );
}

/** Marks the base or peak rate of a schedule: where a request may say "auto". */
export const RATE_MARK = "x-rate";

type Options = { default?: number; description?: string };
const within = { minimum: 0, maximum: LIMITS.lr };

export const rate = (options: Options = {}) => Type.Number({ ...within, ...options });
export const mainRate = (description = "Base learning rate", options: Options = {}) =>
  Type.Number({ ...within, [RATE_MARK]: true, description, ...options });
export const positiveRate = (options: Options = {}) =>
  Type.Number({ exclusiveMinimum: 0, maximum: LIMITS.lr, ...options });
export const steps = (options: Options = {}) => Type.Integer({ minimum: 0, maximum: LIMITS.steps, ...options });
export const positiveSteps = (options: Options = {}) => Type.Integer({ minimum: 1, maximum: LIMITS.steps, ...options });
/** A multiplier above 0. */
export const factor = (options: Options = {}) => Type.Number({ exclusiveMinimum: 0, maximum: 1000, ...options });
/** A multiplier that may be 0. */
export const scale = (options: Options = {}) => Type.Number({ minimum: 0, maximum: LIMITS.lr, ...options });
export const exponent = (options: Options = {}) => Type.Number({ exclusiveMinimum: 0, maximum: 100, ...options });
export const share = (options: Options = {}) => Type.Number({ minimum: 0, maximum: 1, ...options });
export const momentum = (value: number) => Type.Number({ minimum: 0, exclusiveMaximum: 1, default: value });
export const flag = (value: boolean, description?: string) =>
  Type.Boolean({ default: value, ...(description === undefined ? {} : { description }) });
export const milestones = () =>
  Type.Array(steps(), { maxItems: SCHEDULE_LIMITS.list, minItems: 1, description: "Ascending steps" });
export const stepsPerObservation = () =>
  positiveSteps({
    description: "Steps between observations; each is the mean minibatch loss of these steps",
    ...named("StepsPerObservation"),
  });

const child = () => Type.Unsafe<NestedSchedule>({ $ref: "ScheduleSpec#" });
export const nested = (description: string) =>
  Type.Unsafe<NestedSchedule>({ $ref: "ScheduleSpec#", description } as object);
export const nestedList = (description = "Schedules; each counts its own steps from 0") =>
  Type.Array(child(), { minItems: 1, maxItems: SCHEDULE_LIMITS.nodes, description });

/** Rows of [step, value], steps ascending. */
export const table = (value: ReturnType<typeof rate>, description: string) =>
  Type.Array(Type.Tuple([steps(), value]), { minItems: 1, maxItems: SCHEDULE_LIMITS.list, description });

/** The factor at a step t: an expression, or a table whose last row with row[0] <= t holds (1 before the first row). */
export const factorOfStep = () =>
  Type.Unsafe<string | [number, number][]>({
    ...named("FactorOfStep"),
    if: { type: "string" },
    // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword
    then: { type: "string", minLength: 1, maxLength: SCHEDULE_LIMITS.expressionLength },
    else: table(scale(), ""),
    description:
      "An expression in t (the 0-based step) such as `0.95 ** t` or `t < 100 ? t / 100 : 1`, or rows [step, factor]: a row's factor holds from its step on, 1 before the first",
  });
