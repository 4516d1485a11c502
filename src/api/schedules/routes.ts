import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { DEFAULT_LR_RANGE } from "../../core/resolve.js";
import { autoRatePaths } from "../../core/schedules/auto-rate.js";
import { scheduleCatalogue } from "../../core/schedules/catalogue.js";
import { equivalents } from "../../core/schedules/equivalents.js";
import { previewSchedule } from "../../core/schedules/preview.js";
import { resolveSchedule } from "../../core/schedules/resolve.js";
import type { ScheduleRequest } from "../../schemas/schedule.js";
import { CatalogueSchema, PreviewRequestSchema, PreviewSchema } from "../../schemas/schedule-preview.js";
import { strict } from "../../schemas/strict.js";
import { chooseType } from "../http/accept.js";
import { invalidRequest } from "../http/problems.js";
import { mediaResponse, problemResponse } from "../http/responses.js";
import { schedulePicture } from "../plots/pictures.js";
import type { PlotThread } from "../plots/plot-thread.js";
import { CanvasQuery, FORMATS, ScalesQuery, sizeOf } from "../plots/query.js";
import { contentType, render } from "../plots/render.js";

/** Observations of a metric-driven policy times its window: a preview makes them all. */
const MOST_OBSERVED = 2_000_000;

const DrawingQuery = Type.Object({ ...CanvasQuery, ...ScalesQuery }, strict);

export const scheduleRoutes: FastifyPluginAsyncTypebox<{ readonly plotThread: PlotThread }> = async (
  app,
  { plotThread },
) => {
  app.get(
    "/schedules",
    {
      schema: {
        operationId: "listSchedules",
        summary: "List schedule types, their parameters and defaults, and what lrRange means to each",
        description: "Our own, and those of PyTorch, Hugging Face and optax in their terms.",
        tags: ["schedules"],
        response: { 200: CatalogueSchema },
      },
    },
    async () => ({ schedules: scheduleCatalogue() }),
  );

  app.post(
    "/schedules/preview",
    {
      schema: {
        operationId: "previewSchedule",
        summary: "The learning rates of a schedule, without training",
        description:
          "Curve, area, peak, first and last rate, lint, and equivalents in other libraries. By Accept the curve drawn as SVG, PNG or text.",
        tags: ["schedules"],
        body: PreviewRequestSchema,
        querystring: DrawingQuery,
        response: {
          200: mediaResponse("The curve and what there is to say of it, or its picture", FORMATS, PreviewSchema),
          400: problemResponse("A field is wrong"),
          406: problemResponse("None of the media types can be served"),
          429: problemResponse("Too many pictures are being drawn"),
        },
      },
    },
    async (request, reply) => {
      const format = chooseType(request.headers.accept, ["application/json", ...FORMATS]);
      const size = format === "application/json" ? null : sizeOf(format, request.query);
      const { steps, lrRange = DEFAULT_LR_RANGE, lrLimit = null } = request.body;
      const points = request.body.points ?? (size === null ? 1000 : 2 * size.width);
      const even = request.body.points !== undefined;
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
      const preview = previewSchedule(resolved.value, { steps, points, even, lrLimit });
      reply.header("vary", "accept");
      if (format !== "application/json") {
        const plot = schedulePicture(resolved.value, preview, steps, request.query);
        return reply.type(contentType(format)).send(await render(plotThread, plot, format, size!));
      }
      return { schedule: resolved.value, ...preview, equivalents: equivalents(resolved.value, { steps }) };
    },
  );
};
