import { Readable } from "node:stream";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { type Static, Type } from "typebox";
import { SeriesAccumulator } from "../../core/series.js";
import { LIMITS } from "../../schemas/limits.js";
import { METRIC_FORMATS, type MetricFormat, MetricsSchema } from "../../schemas/metric-export.js";
import { isTerminal } from "../../schemas/status.js";
import { strict } from "../../schemas/strict.js";
import type { RunRecord } from "../../store/contract.js";
import type { ApiDeps } from "../deps.js";
import { chooseType } from "../http/accept.js";
import { hasUnchanged } from "../http/etag.js";
import { existing } from "../http/existing.js";
import { invalidRequest } from "../http/problems.js";
import { mediaResponse, notModified, problemResponse } from "../http/responses.js";
import { idParams } from "../ids.js";
import { asCsv, asJson, asNdjson, COLUMNS, type Column, type Export } from "./columns.js";
import { asParquet } from "./parquet.js";
import { asTensorBoard } from "./tensorboard.js";

const PARQUET = "application/vnd.apache.parquet";

/** By Accept. */
const TYPES = {
  "application/json": "json",
  "application/x-ndjson": "ndjson",
  "text/csv": "csv",
  [PARQUET]: "parquet",
} as const;

/** By name; those with a file name are no text, and saved rather than shown. */
const FORMATS: Readonly<Record<MetricFormat, Format>> = {
  json: { type: "application/json", write: asJson },
  ndjson: { type: "application/x-ndjson", write: asNdjson },
  csv: { type: "text/csv", write: asCsv },
  parquet: { type: PARQUET, write: asParquet, file: ({ id }) => `${id}.parquet` },
  tensorboard: {
    type: "application/octet-stream",
    write: (wanted, { createdAt }) => asTensorBoard(wanted, createdAt / 1000),
    // TensorBoard knows its files by the name.
    file: ({ id, createdAt }) => `events.out.tfevents.${Math.floor(createdAt / 1000)}.${id}`,
  },
};

interface Format {
  readonly type: string;
  readonly write: (wanted: Export, record: RunRecord) => AsyncGenerator<string | Uint8Array>;
  readonly file?: (record: RunRecord) => string;
}

const Step = Type.Integer({ minimum: 0, maximum: LIMITS.steps });
const Query = Type.Object(
  {
    from: Type.Optional(Step),
    to: Type.Optional(Step),
    every: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LIMITS.steps,
        description: "Only the steps 0, n, 2n, ...: their own values, not those of what lies between",
      }),
    ),
    columns: Type.Optional(
      Type.String({ description: `Comma-separated, of ${COLUMNS.join(", ")}; default step,lr,loss` }),
    ),
    format: Type.Optional(Type.Enum([...METRIC_FORMATS], { description: "Instead of Accept, for a link" })),
    smoothing: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.98,
      description: "Decay of the debiased average in column `smoothed`",
    }),
    points: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LIMITS.pointsPerPage,
        description: "Reduce to at most n buckets of min, max and mean, so that spikes survive",
      }),
    ),
    window: Type.Optional(
      Type.Integer({ minimum: 1, maximum: LIMITS.steps, description: "First average over windows of n steps" }),
    ),
    transform: Type.Optional(Type.Enum(["none", "log10"], { description: "Of each loss, before any average" })),
  },
  strict,
);

export const metricsRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { metrics }) => {
  app.get(
    "/runs/:id/metrics",
    {
      schema: {
        operationId: "getMetrics",
        summary: "Export a run's metrics",
        description:
          "Every stored step of [from, to) exactly (of a fork from the fork on), as JSON, NDJSON, CSV or Parquet by Accept, or a TensorBoard event file, with `every` each n-th of them; with points, window or transform, a JSON summary.",
        tags: ["metrics"],
        params: idParams("run"),
        querystring: Query,
        response: {
          200: mediaResponse(
            "Columns, lines of text, or a file",
            ["text/csv", "application/x-ndjson", PARQUET],
            MetricsSchema,
          ),
          304: notModified,
          400: problemResponse("A parameter is wrong"),
          404: problemResponse("No such run"),
          406: problemResponse("None of the media types can be served"),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { query } = request;
      const record = await existing(request.own.runs, id);
      const from = Math.max(query.from ?? 0, record.spec.from?.step ?? 0);
      const to = Math.max(from, Math.min(query.to ?? record.committed, record.committed));
      if (isTerminal(record.status) && hasUnchanged(request, reply, [to])) return reply.code(304).send(null);
      if (query.points !== undefined || query.window !== undefined || query.transform !== undefined) {
        if (query.every !== undefined) {
          throw invalidRequest([{ pointer: "/every", expected: "nothing beside points, window or transform" }]);
        }
        return summarize(id, from, to, query);
      }
      const types = Object.keys(TYPES) as (keyof typeof TYPES)[];
      const { type, write, file } = FORMATS[query.format ?? TYPES[chooseType(request.headers.accept, types)]];
      const { smoothing, every = 1 } = query;
      const wanted = { metrics, id, from, to, every, columns: columnsOf(query.columns), smoothing };
      if (file !== undefined) reply.header("content-disposition", `attachment; filename="${file(record)}"`);
      return reply
        .type(type)
        .header("vary", "accept")
        .send(Readable.from(write(wanted, record)));
    },
  );

  /** The loss in buckets, and the mean rate of each. */
  async function summarize(id: string, from: number, to: number, query: Static<typeof Query>) {
    const { window = 1, transform = "none", points = LIMITS.pointsPerPage } = query;
    const loss = new SeriesAccumulator({ from, to, points, window, transform });
    const lr = new SeriesAccumulator({ from, to, points, window, transform: "none" });
    for await (const chunk of metrics.chunks(id, from, to)) {
      loss.push(chunk.loss);
      lr.push(chunk.lr);
    }
    return { run: id, from, to, window, transform, ...loss.result(), lr: lr.result().mean };
  }
};

function columnsOf(text = "step,lr,loss"): Column[] {
  const columns = text.split(",") as Column[];
  const known = columns.every((column) => COLUMNS.includes(column)) && new Set(columns).size === columns.length;
  if (!known) throw invalidRequest([{ pointer: "/columns", expected: `some of ${COLUMNS.join(", ")}, each once` }]);
  return columns;
}
