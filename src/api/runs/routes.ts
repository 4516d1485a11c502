import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply } from "fastify";
import { type TSchema, Type } from "typebox";
import { LIMITS } from "../../schemas/limits.js";
import { RUN_STATUSES, type RunChange, type RunRequest, type RunStatus } from "../../schemas/run.js";
import { strict } from "../../schemas/strict.js";
import type { RunRecord } from "../../store/contract.js";
import type { ApiDeps } from "../deps.js";
import { creating, creatingHeaders, creatingResponses } from "../http/creating.js";
import { existing, notFound } from "../http/existing.js";
import { listFields, NextSchema, runFilterFields } from "../http/paging.js";
import { problemResponse } from "../http/responses.js";
import { idParams } from "../ids.js";
import { actOnAll, BULK_ACTIONS, type BulkRequest } from "./bulk.js";
import { cancelRun, deleteRun, pauseRun, resumeRun } from "./control-run.js";
import { createRun, createRuns } from "./create-run.js";
import { toRun } from "./run-view.js";

const tags = ["runs"];
const params = idParams("run");
const RunRef = Type.Ref("Run");
const noSuchRun = problemResponse("No such run");
const controlled = { 202: RunRef, 404: noSuchRun, 409: problemResponse("The run is over") };

const TotalsSchema = Type.Object(
  {
    total: Type.Integer(),
    byStatus: Type.Object(Object.fromEntries(RUN_STATUSES.map((status) => [status, Type.Integer()])), strict),
    complete: Type.Boolean({
      description: `False: only the ${LIMITS.listedRecords} newest were counted`,
    }),
  },
  strict,
);
const BulkSchema = Type.Object(
  {
    matched: Type.Integer(),
    eligible: Type.Integer({ description: "To so many it can be done" }),
    done: Type.Integer(),
    remaining: Type.Integer({ description: "Of the eligible ones, not done" }),
  },
  strict,
);

const OneOrMore = Type.Unsafe<RunRequest | RunRequest[]>({
  if: { type: "array" },
  // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword
  then: Type.Array(Type.Ref("RunRequest"), { minItems: 1, maxItems: LIMITS.createdRuns }),
  else: Type.Ref("RunRequest"),
});

const accepted = (reply: FastifyReply, run: RunRecord) => reply.code(202).send(toRun(run));

/** Each field is described where lists have it. */
const withoutWords = Object.fromEntries(
  Object.entries(runFilterFields).map(
    ([name, { description: _, ...schema }]: [string, TSchema & { description?: string }]) => [
      name,
      Type.Optional(schema as TSchema),
    ],
  ),
) as typeof runFilterFields;

export const runRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app) => {
  app.post(
    "/runs",
    {
      schema: {
        operationId: "createRun",
        summary: "Create a run",
        description: "Answers with every default spelled out, the seed drawn. Of an array all are created, or none.",
        tags,
        body: OneOrMore,
        headers: creatingHeaders,
        response: {
          200: { ...RunRef, description: "Over (with Prefer: wait)" },
          202: Type.Union([RunRef, Type.Array(RunRef)]),
          400: problemResponse("A field is wrong"),
          409: problemResponse("The checkpoint to fork from is gone, or the dataset was replaced"),
          ...creatingResponses,
        },
      },
    },
    creating({
      ...{ kind: "run", path: "/v1/runs", store: ({ runs }) => runs, view: toRun },
      create: (own, request: RunRequest, origin) => createRun(own, request, origin),
      createAll: (own, requests: readonly RunRequest[], origin) => createRuns(own, requests, origin),
    }),
  );

  app.get(
    "/runs",
    {
      schema: {
        operationId: "listRuns",
        summary: "List runs, newest first",
        description: "Without those of searches and experiments, but for `parent`.",
        tags,
        querystring: Type.Object(
          {
            ...listFields("run"),
            ...runFilterFields,
          },
          strict,
        ),
        response: {
          200: Type.Object({ runs: Type.Array(RunRef), next: NextSchema }, strict),
          400: problemResponse("A parameter is wrong"),
        },
      },
    },
    async ({ query, own: { runs } }) => {
      const { records, next } = await runs.list(query);
      return { runs: records.map(toRun), next };
    },
  );

  app.get(
    "/runs/totals",
    {
      schema: {
        operationId: "countRuns",
        summary: "Count the runs that a list has, by status",
        description: "All of them, not a page.",
        tags,
        querystring: Type.Object(runFilterFields, strict),
        response: { 200: TotalsSchema, 400: problemResponse("A parameter is wrong") },
      },
    },
    async ({ query, own: { runs } }) => {
      const { found, complete } = await runs.survey(query);
      const byStatus = Object.fromEntries(RUN_STATUSES.map((status) => [status, 0])) as Record<RunStatus, number>;
      for (const { status } of found) byStatus[status]++;
      return { total: found.length, byStatus, complete };
    },
  );

  app.post(
    "/runs/bulk",
    {
      schema: {
        operationId: "actOnRuns",
        summary: "Pause, resume, cancel or delete all runs that match",
        description: `Without \`confirm\` the answer says how many match, and how many are \`eligible\`. With that number as \`confirm\` it is done, to the ${LIMITS.bulkRuns} newest; \`remaining\` are left for another call.`,
        tags,
        body: Type.Object(
          {
            action: Type.Enum([...BULK_ACTIONS]),
            query: Type.Object(withoutWords, { ...strict, description: "As in GET /v1/runs" }),
            confirm: Type.Optional(Type.Integer({ minimum: 1, description: "`eligible` of an answer without it" })),
          },
          strict,
        ),
        response: { 200: BulkSchema, 400: problemResponse("A field is wrong, or other runs match by now") },
      },
    },
    async ({ own, body }) => actOnAll(own, body as BulkRequest),
  );

  app.get(
    "/runs/:id",
    {
      schema: {
        operationId: "getRun",
        summary: "Get a run",
        description: "Its spec, how far it is, and what came of it.",
        tags,
        params,
        response: { 200: RunRef, 404: noSuchRun },
      },
    },
    async (request) => toRun(await existing(request.own.runs, request.params.id)),
  );

  app.patch(
    "/runs/:id",
    {
      schema: {
        operationId: "changeRun",
        summary: "Change a run's name, labels or notes",
        description: "What is left out stays as it is.",
        tags,
        params,
        body: Type.Ref("RunChange"),
        response: { 200: RunRef, 400: problemResponse("A field is wrong"), 404: noSuchRun },
      },
    },
    async ({ own: { runs }, params: { id }, body }) => {
      if ((await runs.annotate(id, body as RunChange)) === "gone") throw notFound(id);
      return toRun(await existing(runs, id));
    },
  );

  app.post(
    "/runs/:id/cancel",
    {
      schema: {
        operationId: "cancelRun",
        summary: "Cancel a run",
        description: "A training run stops at its next commit, within about 50 ms.",
        tags,
        params,
        response: controlled,
      },
    },
    async (request, reply) => accepted(reply, await cancelRun(request.own, request.params.id)),
  );

  app.post(
    "/runs/:id/pause",
    {
      schema: {
        operationId: "pauseRun",
        summary: "Pause a run",
        description: "A training run pauses at its next commit.",
        tags,
        params,
        response: controlled,
      },
    },
    async (request, reply) => accepted(reply, await pauseRun(request.own, request.params.id)),
  );

  app.post(
    "/runs/:id/resume",
    {
      schema: {
        operationId: "resumeRun",
        summary: "Resume a paused run",
        description: "It goes on from its checkpoint.",
        tags,
        params,
        response: controlled,
      },
    },
    async (request, reply) => accepted(reply, await resumeRun(request.own, request.params.id)),
  );

  app.delete(
    "/runs/:id",
    {
      schema: {
        operationId: "deleteRun",
        summary: "Delete a run and all its data",
        description: "With all its data.",
        tags,
        params,
        response: {
          204: Type.Null(),
          404: noSuchRun,
          409: problemResponse("The run is being trained: cancel it first"),
        },
      },
    },
    async (request, reply) => {
      await deleteRun(request.own, request.params.id);
      return reply.code(204).send(null);
    },
  );
};
