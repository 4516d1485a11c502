import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import type { ExperimentRequest } from "../../schemas/experiment.js";
import type { RunRequest } from "../../schemas/run.js";
import type { SearchRequest } from "../../schemas/search.js";
import type { ApiDeps } from "../deps.js";
import { createShapeErrors } from "../experiments/create-experiment.js";
import { problemResponse } from "../http/responses.js";
import { estimateExperiment, estimateRun, estimateSearch } from "./estimate.js";

export const estimateRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, deps) => {
  const withShape = { ...deps, shapeErrors: createShapeErrors(app) };
  const routes = [
    ["run", "runs", "RunRequest", (body: unknown) => estimateRun(deps, body as RunRequest)],
    ["search", "searches", "SearchRequest", (body: unknown) => estimateSearch(deps, body as SearchRequest)],
    [
      "experiment",
      "experiments",
      "ExperimentRequest",
      (body: unknown) => estimateExperiment(withShape, body as ExperimentRequest),
    ],
  ] as const;
  for (const [name, path, request, estimate] of routes) {
    app.post(
      `/${path}/estimate`,
      {
        schema: {
          operationId: `estimate${name[0]!.toUpperCase()}${name.slice(1)}`,
          summary: `What a ${name} would cost`,
          description: `The body is that of POST /v1/${path}, with the same errors. Nothing is created.`,
          tags: ["estimates"],
          body: Type.Ref(request),
          response: {
            200: Type.Ref("Estimate"),
            400: problemResponse("A field is wrong"),
            503: problemResponse("Redis is away"),
          },
        },
      },
      async ({ body }) => estimate(body),
    );
  }
};
