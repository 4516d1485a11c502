import { randomInt } from "node:crypto";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import type { SearchAnswer, SearchState } from "../../core/finder/search-state.js";
import { resolveSearch } from "../../core/resolve-search.js";
import { DatasetNameSchema } from "../../schemas/dataset.js";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import { RUN_STATUSES, TERMINAL_STATUSES } from "../../schemas/run.js";
import type { Search, SearchRequest } from "../../schemas/search.js";
import { strict } from "../../schemas/strict.js";
import type { SearchRecord } from "../../store/searches.js";
import { datasetFacts } from "../datasets/dataset-facts.js";
import type { ApiDeps } from "../deps.js";
import { notFound } from "../http/existing.js";
import { invalidRequest } from "../http/problems.js";
import { problemResponse } from "../http/responses.js";
import { idParams, newId } from "../ids.js";
import { createRecord } from "../runs/create-record.js";
import { time } from "../runs/run-view.js";

const SearchRef = Type.Ref("Search");
const params = idParams("search");

export const searchRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { searches, searchQueue, datasets }) => {
  app.post(
    "/lr-searches",
    {
      schema: {
        summary: "Find and verify a learning rate",
        description:
          "Brackets with an ensemble sweep, trains short constant-rate runs with common seeds, halves the field, and answers with the rate, an interval, and what each classic method's suggestion would have cost.",
        tags: ["learning rate"],
        body: Type.Ref("SearchRequest"),
        response: {
          202: SearchRef,
          400: problemResponse("A field is wrong"),
          409: problemResponse("The dataset was replaced meanwhile"),
          503: problemResponse("Redis is away"),
        },
      },
    },
    async (request, reply) => {
      const body = request.body as SearchRequest;
      const facts = await datasetFacts(datasets, body.dataset);
      const resolved = resolveSearch(body, facts, randomInt(LIMITS.seed));
      if (!resolved.ok) throw invalidRequest(resolved.errors);
      const id = newId("search", Date.now());
      const created = await createRecord(searches, searchQueue, id, resolved.value, request);
      return reply.code(202).header("location", `/v1/lr-searches/${id}`).send(toSearch(created));
    },
  );

  app.get(
    "/lr-searches",
    {
      schema: {
        summary: "List searches, newest first",
        tags: ["learning rate"],
        querystring: Type.Object(
          {
            status: Type.Optional(Type.Enum([...RUN_STATUSES])),
            dataset: Type.Optional(DatasetNameSchema),
            after: Type.Optional(params.properties.id),
            limit: Type.Integer({ minimum: 1, maximum: LIMITS.pageSize, default: 20 }),
          },
          strict,
        ),
      },
    },
    async (request) => {
      const { limit } = request.query;
      const page = await searches.list({ ...request.query, limit: limit + 1 });
      const shown = page.slice(0, limit);
      return { searches: shown.map(toSearch), next: page.length > limit ? shown.at(-1)!.id : null };
    },
  );

  app.get(
    "/lr-searches/:id",
    {
      schema: {
        summary: "Get a search",
        tags: ["learning rate"],
        params,
        response: { 200: SearchRef, 404: problemResponse("No such search") },
      },
    },
    async (request) => {
      const record = await searches.get(request.params.id);
      if (record === null) throw notFound(request.params.id);
      return toSearch(record);
    },
  );

  app.post(
    "/lr-searches/:id/cancel",
    {
      schema: {
        summary: "Cancel a search and the runs it has made",
        tags: ["learning rate"],
        params,
        response: {
          202: SearchRef,
          404: problemResponse("No such search"),
          409: problemResponse("The search is over"),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const status = await searches.cancel(id);
      if (status === null) throw notFound(id);
      if (TERMINAL_STATUSES.includes(status) && status !== "canceled") {
        throw new ProblemError("conflict", `The search has already ${status}`);
      }
      return reply.code(202).send(toSearch((await searches.get(id))!));
    },
  );

  app.delete(
    "/lr-searches/:id",
    {
      schema: {
        summary: "Delete a search; the runs it has made stay",
        tags: ["learning rate"],
        params,
        response: {
          204: Type.Null(),
          404: problemResponse("No such search"),
          409: problemResponse("It is under way: cancel it first"),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const outcome = await searches.delete(id);
      if (outcome === "gone") throw notFound(id);
      if (outcome === "conflict") throw new ProblemError("conflict", "The search is under way: cancel it first");
      return reply.code(204).send(null);
    },
  );
};

function toSearch(record: SearchRecord): Search {
  const { id, spec } = record;
  const state = record.state as SearchState | null;
  const self = `/v1/lr-searches/${id}`;
  return {
    id,
    status: record.status,
    reason: record.reason,
    spec,
    progress: { stage: state?.stage ?? "bracket", done: record.committed, pending: state?.pending.length ?? 0 },
    answer: record.answer as (SearchAnswer & Search["answer"]) | null,
    createdAt: time(record.createdAt)!,
    finishedAt: time(record.finishedAt),
    links: { self, runs: `/v1/runs?label=${id}`, stream: `${self}/stream`, events: `${self}/events` },
  };
}
