import { Readable } from "node:stream";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { LIMITS } from "../../spec/limits.js";
import { ProblemError } from "../../spec/problem.js";
import type { MetricsReader } from "../../store/metrics.js";
import { idParams, notFound } from "../common.js";
import type { ApiDeps } from "../deps.js";

const FORMATS = {
  "application/json": asJson,
  "application/x-ndjson": asNdjson,
  "text/csv": asCsv,
} as const;

const Step = Type.Integer({ minimum: 0, maximum: LIMITS.steps });

export const metricsRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { runs, metrics }) => {
  app.get(
    "/runs/:id/metrics",
    {
      schema: {
        summary: "Export a run's metrics",
        description: "Every stored step of [from, to) exactly, as JSON, NDJSON or CSV by Accept.",
        tags: ["metrics"],
        params: idParams("run"),
        querystring: Type.Object(
          { from: Type.Optional(Step), to: Type.Optional(Step) },
          { additionalProperties: false },
        ),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const record = await runs.get(id);
      if (record === null) throw notFound(id);
      const { from = 0 } = request.query;
      const to = Math.min(request.query.to ?? record.committed, record.committed);
      const type = chooseFormat(request.headers.accept);
      return reply
        .type(type)
        .header("vary", "accept")
        .send(Readable.from(FORMATS[type](metrics, id, from, Math.max(from, to))));
    },
  );
};

function chooseFormat(accept = "*/*"): keyof typeof FORMATS {
  for (const range of accept.split(",")) {
    const type = range.split(";")[0]!.trim().toLowerCase();
    if (type in FORMATS) return type as keyof typeof FORMATS;
    if (type === "*/*" || type === "application/*") return "application/json";
    if (type === "text/*") return "text/csv";
  }
  throw new ProblemError("not-acceptable", `Accept must name one of ${Object.keys(FORMATS).join(", ")}`);
}

/** Columns, as in the stream; two passes over the store, so that memory stays bounded. */
async function* asJson(metrics: MetricsReader, id: string, from: number, to: number) {
  yield `{"run":${JSON.stringify(id)},"from":${from},"to":${to}`;
  for (const column of ["lr", "loss"] as const) {
    yield `,"${column}":[`;
    let separator = "";
    for await (const chunk of metrics.chunks(id, from, to)) {
      yield separator + JSON.stringify(Array.from(chunk[column])).slice(1, -1);
      separator = ",";
    }
    yield "]";
  }
  yield ',"evals":[';
  let separator = "";
  for await (const { evals } of metrics.chunks(id, from, to)) {
    for (const point of evals) {
      yield separator + JSON.stringify(point);
      separator = ",";
    }
  }
  yield "]}\n";
}

async function* asNdjson(metrics: MetricsReader, id: string, from: number, to: number) {
  for await (const chunk of metrics.chunks(id, from, to)) {
    let lines = "";
    for (let i = 0; i < chunk.lr.length; i++) {
      lines += `${JSON.stringify({ step: chunk.from + i, lr: chunk.lr[i], loss: chunk.loss[i] })}\n`;
    }
    yield lines;
  }
}

async function* asCsv(metrics: MetricsReader, id: string, from: number, to: number) {
  yield "step,lr,loss\n";
  for await (const chunk of metrics.chunks(id, from, to)) {
    let lines = "";
    for (let i = 0; i < chunk.lr.length; i++) lines += `${chunk.from + i},${chunk.lr[i]},${chunk.loss[i]}\n`;
    yield lines;
  }
}
