import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { LIMITS } from "../../schemas/limits.js";
import { PLOT_NAMES, type PlotName } from "../../schemas/plot.js";
import { isTerminal } from "../../schemas/status.js";
import type { ApiDeps } from "../deps.js";
import { chooseType } from "../http/accept.js";
import { hasUnchanged } from "../http/etag.js";
import { existing } from "../http/existing.js";
import { Limiter } from "../http/limiter.js";
import { invalidRequest } from "../http/problems.js";
import { notModified, problemResponse } from "../http/responses.js";
import { idParams, isRunId } from "../ids.js";
import { picture } from "./pictures.js";
import type { PlotThread } from "./plot-thread.js";
import { checkQuery, FORMATS, type Format, PlotQuerySchema, sizeOf } from "./query.js";
import { contentType, render } from "./render.js";

const EXTENSIONS: Readonly<Record<string, Format>> = { svg: "image/svg+xml", png: "image/png" };
/** Pictures made at once, and waiting: of a long run each reads all of its steps. */
const AT_ONCE = 2;
const MOST_WAITING = 16;

const Params = Type.Object({
  ...idParams("run").properties,
  plot: Type.Enum(PLOT_NAMES.flatMap((name) => [name, ...Object.keys(EXTENSIONS).map((kind) => `${name}.${kind}`)])),
});

export const plotRoutes: FastifyPluginAsyncTypebox<ApiDeps & { readonly plotThread: PlotThread }> = async (
  app,
  { metrics, plotThread: thread },
) => {
  const limiter = new Limiter(AT_ONCE, MOST_WAITING, "pictures are being drawn");

  app.get(
    "/runs/:id/plots/:plot",
    {
      schema: {
        operationId: "drawRun",
        summary: "Draw a run",
        description:
          "SVG or PNG by the name's ending, else by Accept; text/plain draws in the terminal. loss: with its average and validation losses. lr-loss, exponent-loss: of a sweep, with suggestions. log-loss: means of log10 loss over windows. With `runs`, averages only.",
        tags: ["metrics"],
        params: Params,
        querystring: PlotQuerySchema,
        response: {
          200: {
            description: "The picture",
            content: Object.fromEntries(FORMATS.map((type) => [type, { schema: Type.String() }])),
          },
          304: notModified,
          400: problemResponse("A parameter is wrong, or means nothing to this plot"),
          404: problemResponse("No such run"),
          406: problemResponse("None of the media types can be served"),
          409: problemResponse("The run has no step yet"),
          429: problemResponse("Too many pictures are being drawn"),
        },
      },
    },
    async (request, reply) => {
      const { id, plot } = request.params;
      const { query, own } = request;
      const [name, kind] = plot.split(".") as [PlotName, string | undefined];
      const format = kind === undefined ? chooseType(request.headers.accept, FORMATS) : EXTENSIONS[kind]!;
      checkQuery(name, query);
      const { width, height } = sizeOf(format, query);
      const records = [await existing(own.runs, id)];
      for (const other of othersOf(query.runs)) records.push(await existing(own.runs, other));
      const facts = records.map(({ id, committed }) => [id, committed]);
      if (records.every(({ status }) => isTerminal(status)) && hasUnchanged(request, reply, facts)) {
        return reply.code(304).send(null);
      }
      const image = await limiter.run(async () => {
        const options = { ...query, points: width, raw: format !== "text/plain" };
        const described = await picture(name, records, options, { metrics, thread });
        return render(thread, described, format, { width, height, color: query.color });
      });
      if (kind === undefined) reply.header("vary", "accept");
      return reply.type(contentType(format)).send(image);
    },
  );
};

function othersOf(text: string | undefined): string[] {
  if (text === undefined) return [];
  const ids = text.split(",");
  if (ids.length > LIMITS.overlaidRuns || !ids.every(isRunId)) {
    throw invalidRequest([
      { pointer: "/runs", expected: `at most ${LIMITS.overlaidRuns} ids of runs, comma-separated` },
    ]);
  }
  return [...new Set(ids)];
}
