import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { DEFAULT_LR_RANGE } from "../../core/resolve.js";
import { autoRatePaths } from "../../core/schedules/auto-rate.js";
import { scheduleCatalogue } from "../../core/schedules/catalogue.js";
import { equivalents } from "../../core/schedules/equivalents.js";
import { previewSchedule } from "../../core/schedules/preview.js";
import { resolveSchedule } from "../../core/schedules/resolve.js";
import { LIMITS } from "../../spec/limits.js";
import { LrRangeSchema, ScheduleRequestSchema } from "../../spec/run.js";
import type { ScheduleRequest } from "../../spec/schedule.js";
import { problem } from "../common.js";
import { invalidRequest } from "../creation.js";
import type { ApiDeps } from "../deps.js";

/** Observations of a metric-driven policy times its window: a preview makes them all. */
const MOST_OBSERVED = 2_000_000;

const PreviewRequestSchema = Type.Object(
  {
    schedule: ScheduleRequestSchema,
    steps: Type.Integer({ minimum: 1, maximum: LIMITS.steps }),
    lrRange: Type.Optional(LrRangeSchema),
    points: Type.Optional(Type.Integer({ minimum: 2, maximum: LIMITS.pointsPerPage })),
    lrLimit: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: "Warn about rates above this" })),
  },
  { additionalProperties: false },
);

export const scheduleRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app) => {
  app.get(
    "/schedules",
    {
      schema: {
        summary: "List schedule types, their parameters and defaults, and what lrRange means to each",
        tags: ["schedules"],
      },
    },
    async () => ({ schedules: scheduleCatalogue() }),
  );

  app.post(
    "/schedules/preview",
    {
      schema: {
        summary: "The learning rates of a schedule, without training",
        description: "Curve, area, peak, first and last rate, lint, and the equivalents in other libraries' terms.",
        tags: ["schedules"],
        body: PreviewRequestSchema,
        response: { 400: problem("A field is wrong") },
      },
    },
    async (request) => {
      const { steps, lrRange = DEFAULT_LR_RANGE, points = 1000, lrLimit = null } = request.body;
      const schedule = request.body.schedule as ScheduleRequest;
      const auto = autoRatePaths(schedule).map((pointer) => ({
        pointer: `/schedule${pointer}`,
        expected: 'a number; "auto" is found by training, so it has no preview',
      }));
      if (auto.length > 0) throw invalidRequest(auto);
      const resolved = resolveSchedule(schedule, { steps, lrRange: [lrRange[0], lrRange[1]] });
      if (!resolved.ok) {
        throw invalidRequest(resolved.errors.map((error) => ({ ...error, pointer: `/schedule${error.pointer}` })));
      }
      const { every = steps, windowSize = 1 } = resolved.value as { every?: number; windowSize?: number };
      if ((steps / every) * windowSize > MOST_OBSERVED) {
        throw invalidRequest([{ pointer: "/schedule/every", expected: "fewer observations: a larger number" }]);
      }
      const preview = previewSchedule(resolved.value, { steps, points, lrLimit });
      return { schedule: resolved.value, ...preview, equivalents: equivalents(resolved.value, { steps }) };
    },
  );
};
