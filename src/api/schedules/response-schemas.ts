import { Type } from "typebox";
import { SCHEDULE_LIBRARIES, type ScheduleLibrary } from "../../schemas/schedule.js";
import { strict } from "../../schemas/strict.js";

const Text = Type.Union([Type.String(), Type.Null()]);
const Library = Type.Enum(Object.keys(SCHEDULE_LIBRARIES) as ScheduleLibrary[]);
const ScheduleRef = Type.Ref("ScheduleSpec");

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
                default: Type.Unknown({ description: "A value, or in words how it follows from the run" }),
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
  strict,
);

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
  strict,
);
