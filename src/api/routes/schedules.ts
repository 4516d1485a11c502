import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { DEFAULT_LR_RANGE } from "../../core/resolve.js";
import { buildSchedule } from "../../core/schedules/build.js";
import { resolveSchedule } from "../../core/schedules/resolve.js";
import { LIMITS } from "../../spec/limits.js";
import { ProblemError } from "../../spec/problem.js";
import { LrRangeSchema, ScheduleRequestSchema } from "../../spec/run.js";
import { SCHEDULE_SCHEMAS, type ScheduleRequest } from "../../spec/schedule.js";
import type { ApiDeps } from "../deps.js";

const PreviewRequestSchema = Type.Object(
  {
    schedule: ScheduleRequestSchema,
    steps: Type.Integer({ minimum: 1, maximum: LIMITS.steps }),
    lrRange: Type.Optional(LrRangeSchema),
    points: Type.Optional(Type.Integer({ minimum: 2, maximum: LIMITS.pointsPerPage })),
  },
  { additionalProperties: false },
);

export const scheduleRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app) => {
  app.get(
    "/schedules",
    { schema: { summary: "List schedule types, their parameters and defaults", tags: ["schedules"] } },
    async () => ({
      schedules: Object.entries(SCHEDULE_SCHEMAS).map(([type, schema]) => ({ type, parameters: schema })),
    }),
  );

  app.post(
    "/schedules/preview",
    {
      schema: {
        summary: "The learning rates of a schedule, without training",
        tags: ["schedules"],
        body: PreviewRequestSchema,
      },
    },
    async (request) => {
      const { steps, lrRange = DEFAULT_LR_RANGE, points = 1000 } = request.body;
      const resolved = resolveSchedule(request.body.schedule as ScheduleRequest, {
        steps,
        lrRange: [lrRange[0], lrRange[1]],
      });
      if (!resolved.ok) {
        const errors = resolved.errors.map((error) => ({ ...error, pointer: `/schedule${error.pointer}` }));
        throw new ProblemError("invalid-request", "The schedule is not valid", errors);
      }
      const schedule = buildSchedule(resolved.value);
      const count = Math.min(points, steps);
      const at = Array.from({ length: count }, (_, i) =>
        count === 1 ? 0 : Math.round((i * (steps - 1)) / (count - 1)),
      );
      return { schedule: resolved.value, steps: at, lr: at.map(schedule) };
    },
  );
};
