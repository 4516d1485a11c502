import { type Static, Type } from "typebox";
import { LIMITS } from "./limits.js";
import { LrRangeSchema } from "./run.js";
import { SCHEDULE_LIBRARIES, type ScheduleLibrary, ScheduleRequestSchema } from "./schedule.js";
import { documentedAs, named, strict } from "./strict.js";

const Text = Type.Union([Type.String(), Type.Null()]);
const Library = Type.Enum(Object.keys(SCHEDULE_LIBRARIES) as ScheduleLibrary[]);
const ScheduleRef = Type.Ref("ScheduleSpec");

/** Of a table of factors by step: an empty one. */
const NoFactors = Type.Object({}, strict);
const DefaultSchema = Type.Union([Type.Number(), Type.String(), Type.Boolean(), Type.Null(), NoFactors]);

export const CatalogueSchema = Type.Object(
  {
    schedules: Type.Array(
      Type.Object(
        {
          type: Type.String(),
          library: Library,
          description: Type.String(),
          parameters: Type.Array(
            Type.Object(
              {
                name: Type.String(),
                type: Type.String(),
                default: Type.Unknown({
                  ...documentedAs(DefaultSchema),
                  description: "A value, or in words how it follows from the run",
                }),
                derived: Type.Boolean({ description: "Whether the default is a rule over lrRange, steps or others" }),
                required: Type.Boolean(),
                auto: Type.Boolean({ description: 'Whether "auto" is allowed' }),
                description: Text,
              },
              strict,
            ),
          ),
          lrRange: Type.Union([Type.String(), Type.Null()], { description: "What lrRange sets, in words" }),
        },
        strict,
      ),
    ),
  },
  { ...strict, ...named("ScheduleCatalogue") },
);

export type ScheduleCatalogue = Static<typeof CatalogueSchema>;

export const PreviewSchema = Type.Object(
  {
    schedule: ScheduleRef,
    steps: Type.Array(Type.Integer(), { description: "Of the curve's points" }),
    lr: Type.Array(Type.Number()),
    momentum: Type.Union([Type.Array(Type.Number()), Type.Null()], { description: "null: left to the optimizer" }),
    area: Type.Number({ description: "Sum of the rates of all steps" }),
    peak: Type.Object({ step: Type.Integer(), lr: Type.Number() }, strict),
    first: Type.Number(),
    last: Type.Number(),
    assumption: Type.Union([Type.String(), Type.Null()], { description: "Under which a metric-driven curve is shown" }),
    lint: Type.Array(
      Type.Object(
        {
          code: Type.String(),
          severity: Type.Enum(["info", "warning", "error"]),
          message: Type.String(),
          pointer: Type.String({ description: "JSON pointer into the schedule" }),
        },
        strict,
      ),
    ),
    equivalents: Type.Array(
      Type.Object(
        {
          library: Library,
          schedule: ScheduleRef,
          maxDifference: Type.Number({ description: "Largest absolute difference of the rates" }),
          atStep: Type.Integer(),
        },
        strict,
      ),
    ),
  },
  { ...strict, ...named("SchedulePreview") },
);
export type SchedulePreview = Static<typeof PreviewSchema>;

export const PreviewRequestSchema = Type.Object(
  {
    schedule: ScheduleRequestSchema,
    steps: Type.Integer({ minimum: 1, maximum: LIMITS.steps }),
    lrRange: Type.Optional(LrRangeSchema),
    points: Type.Optional(
      Type.Integer({
        minimum: 4,
        maximum: LIMITS.pointsPerPage,
        description:
          "At most so many, evenly taken, with both ends. Without it up to 1,000: both ends, and each stretch's lowest and highest rate",
      }),
    ),
    lrLimit: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: "Warn about rates above this" })),
  },
  { ...strict, ...named("PreviewRequest") },
);
export type PreviewRequest = Static<typeof PreviewRequestSchema>;
