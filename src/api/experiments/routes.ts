import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import type { ExperimentRequest } from "../../schemas/experiment.js";
import { strict } from "../../schemas/strict.js";
import type { ApiDeps } from "../deps.js";
import { creating, creatingHeaders, creatingResponses } from "../http/creating.js";
import { cancelRecord, refuse } from "../http/ending.js";
import { existing } from "../http/existing.js";
import { listFields, NextSchema } from "../http/paging.js";
import { problemResponse } from "../http/responses.js";
import { idParams } from "../ids.js";
import { createExperiment, createShapeErrors } from "./create-experiment.js";
import { toExperiment, toSummary } from "./experiment-view.js";

const ExperimentRef = Type.Ref("Experiment");
const params = idParams("experiment");
const tags = ["experiments"];

export const experimentRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app) => {
  const shapeErrors = createShapeErrors(app);
  app.post(
    "/experiments",
    {
      schema: {
        operationId: "createExperiment",
        summary: "Compare run requests over common seeds",
        description:
          'Trains every arm (`specs`, or a `base` with a `grid` of values of its fields) with every seed; reports means, paired differences to the baseline with intervals, and verdicts. Arms have one dataset, and nothing that says "auto". Its runs (GET /v1/runs?parent=) go with it.',
        tags,
        body: Type.Ref("ExperimentRequest"),
        headers: creatingHeaders,
        response: {
          200: { ...ExperimentRef, description: "Over (with Prefer: wait)" },
          202: ExperimentRef,
          400: problemResponse("A field is wrong"),
          409: problemResponse("The dataset was replaced meanwhile"),
          ...creatingResponses,
        },
      },
    },
    creating({
      ...{ kind: "experiment", path: "/v1/experiments", store: ({ experiments }) => experiments, view: toExperiment },
      create: (own, request: ExperimentRequest, origin) => createExperiment({ ...own, shapeErrors }, request, origin),
    }),
  );

  app.get(
    "/experiments",
    {
      schema: {
        operationId: "listExperiments",
        summary: "List experiments, newest first",
        description: "Without their reports.",
        tags,
        querystring: Type.Object(listFields("experiment"), strict),
        response: {
          200: Type.Object({ experiments: Type.Array(Type.Ref("ExperimentSummary")), next: NextSchema }, strict),
          400: problemResponse("A parameter is wrong"),
        },
      },
    },
    async ({ query, own: { experiments } }) => {
      const { records, next } = await experiments.list(query);
      return { experiments: records.map(toSummary), next };
    },
  );

  app.get(
    "/experiments/:id",
    {
      schema: {
        operationId: "getExperiment",
        summary: "Get an experiment, with its report so far",
        description: "Verdicts may change until `complete` is true.",
        tags,
        params,
        response: { 200: ExperimentRef, 404: problemResponse("No such experiment") },
      },
    },
    async (request) => toExperiment(await existing(request.own.experiments, request.params.id)),
  );

  app.post(
    "/experiments/:id/cancel",
    {
      schema: {
        operationId: "cancelExperiment",
        summary: "Cancel an experiment, and the runs it has made",
        description: "Repeating is harmless.",
        tags,
        params,
        response: {
          202: ExperimentRef,
          404: problemResponse("No such experiment"),
          409: problemResponse("The experiment is over"),
        },
      },
    },
    async (request, reply) => {
      return reply.code(202).send(toExperiment(await cancelRecord(request.own.experiments, request.params.id)));
    },
  );

  app.delete(
    "/experiments/:id",
    {
      schema: {
        operationId: "deleteExperiment",
        summary: "Delete an experiment, with the runs it has made",
        description: "Not while it is under way.",
        tags,
        params,
        response: {
          204: Type.Null(),
          404: problemResponse("No such experiment"),
          409: problemResponse("It is under way: cancel it first"),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      refuse(id, await request.own.experiments.delete(id), "The experiment is under way: cancel it first");
      return reply.code(204).send(null);
    },
  );
};
