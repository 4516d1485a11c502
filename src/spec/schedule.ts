import { type Static, type TObject, Type } from "typebox";
import { LIMITS } from "./limits.js";

const strict = { additionalProperties: false } as const;

export const LearningRateSchema = Type.Number({ minimum: 0, maximum: LIMITS.lr });
const PositiveRate = Type.Number({ exclusiveMinimum: 0, maximum: LIMITS.lr });
const Step = Type.Integer({ minimum: 0, maximum: LIMITS.steps });
const PositiveStep = Type.Integer({ minimum: 1, maximum: LIMITS.steps });
const Milestones = Type.Array(Step, { minItems: 1, maxItems: 1000 });
const gamma = (value: number) => Type.Number({ exclusiveMinimum: 0, maximum: 1000, default: value });

/**
 * Every schedule type in its resolved form: all parameters present. A request may leave out any parameter but `type`;
 * core/schedules/resolve.ts fills in what is missing from the default here, from `lrRange`, or from the run's `steps`.
 */
export const SCHEDULE_SCHEMAS = {
  constant: Type.Object({ type: Type.Literal("constant"), lr: LearningRateSchema }, strict),
  linear: Type.Object(
    { type: Type.Literal("linear"), start: LearningRateSchema, end: LearningRateSchema, steps: PositiveStep },
    strict,
  ),
  step: Type.Object(
    { type: Type.Literal("step"), lr: LearningRateSchema, stepSize: PositiveStep, gamma: gamma(0.1) },
    strict,
  ),
  "multi-step": Type.Object(
    { type: Type.Literal("multi-step"), lr: LearningRateSchema, milestones: Milestones, gamma: gamma(0.1) },
    strict,
  ),
  exponential: Type.Object({ type: Type.Literal("exponential"), lr: LearningRateSchema, gamma: gamma(0.999) }, strict),
  cyclic: Type.Object(
    {
      type: Type.Literal("cyclic"),
      baseLr: LearningRateSchema,
      maxLr: LearningRateSchema,
      stepSizeUp: PositiveStep,
      stepSizeDown: PositiveStep,
      mode: Type.Enum(["triangular", "triangular2", "exp_range"], { default: "triangular" }),
      gamma: gamma(1),
    },
    strict,
  ),
  cosine: Type.Object(
    { type: Type.Literal("cosine"), lr: LearningRateSchema, minLr: LearningRateSchema, steps: PositiveStep },
    strict,
  ),
  sweep: Type.Object(
    {
      type: Type.Literal("sweep"),
      start: PositiveRate,
      end: PositiveRate,
      steps: PositiveStep,
      spacing: Type.Enum(["exponential", "linear"], { default: "exponential" }),
    },
    strict,
  ),
} as const;

export type ScheduleType = keyof typeof SCHEDULE_SCHEMAS;
export type ScheduleOf<T extends ScheduleType> = Static<(typeof SCHEDULE_SCHEMAS)[T]>;
export type ScheduleSpec = { [T in ScheduleType]: ScheduleOf<T> }[ScheduleType];

/** What a request may say: a type's name, or an object with some of its parameters. */
export type ScheduleRequest = ScheduleType | ({ type: ScheduleType } & Readonly<Record<string, unknown>>);

/** The same schemas with every parameter but `type` optional. */
export function requestSchema(schema: TObject): TObject {
  const { type, ...parameters } = schema.properties;
  return Type.Object({ type: type!, ...Type.Partial(Type.Object(parameters)).properties }, strict);
}
