import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import type { ExperimentRequest } from "../../schemas/experiment.js";
import type { RunRequest } from "../../schemas/run.js";
import type { SearchRequest } from "../../schemas/search.js";
import type { ApiDeps, OwnDeps } from "../deps.js";
import { createShapeErrors } from "../experiments/create-experiment.js";
import { problemResponse } from "../http/responses.js";
import { estimateExperiment, estimateRun, estimateSearch } from "./estimate.js";

export const estimateRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app) => {
  const shapeErrors = createShapeErrors(app);
  const routes = [
    ["run", "runs", "RunRequest", (own: OwnDeps, body: unknown) => estimateRun(own, body as RunRequest)],
    [
      "search",
      "searches",
      "SearchRequest",
      (own: OwnDeps, body: unknown) => estimateSearch(own, body as SearchRequest),
    ],
    [
      "experiment",
      "experiments",
      "ExperimentRequest",
      (own: OwnDeps, body: unknown) => estimateExperiment({ ...own, shapeErrors }, body as ExperimentRequest),
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
      async ({ own, body }) => estimate(own, body),
    );
  }
};
