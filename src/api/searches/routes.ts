import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { forsake } from "../../core/forsake.js";
import { configOf } from "../../core/resolve-search.js";
import { standingOf } from "../../core/search/answer.js";
import type { Search, SearchRequest } from "../../schemas/search.js";
import { strict } from "../../schemas/strict.js";
import type { SearchRecord } from "../../store/contract.js";
import type { ApiDeps } from "../deps.js";
import { creating, creatingHeaders, creatingResponses } from "../http/creating.js";
import { cancelRecord, refuse } from "../http/ending.js";
import { existing } from "../http/existing.js";
import { isoTime } from "../http/iso-time.js";
import { listFields, NextSchema } from "../http/paging.js";
import { problemResponse } from "../http/responses.js";
import { idParams } from "../ids.js";
import { createSearch } from "./create-search.js";

const SearchRef = Type.Ref("Search");
const params = idParams("search");

export const searchRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app) => {
  app.post(
    "/searches",
    {
      schema: {
        operationId: "createSearch",
        summary: "Find the schedule and the rate that suit",
        description:
          "Trains schedules at rates over growing horizons with common seeds, settles each one's rate at the true horizon, verifies it by other seeds, and ranks them by paired differences. Its runs (GET /v1/runs?parent=) go with it.",
        tags: ["learning rate"],
        body: Type.Ref("SearchRequest"),
        headers: creatingHeaders,
        response: {
          200: { ...SearchRef, description: "Over (with Prefer: wait)" },
          202: SearchRef,
          400: problemResponse("A field is wrong"),
          409: problemResponse("The dataset was replaced meanwhile"),
          ...creatingResponses,
        },
      },
    },
    creating({
      ...{ kind: "search", path: "/v1/searches", store: ({ searches }) => searches, view: toSearch },
      create: (own, request: SearchRequest, origin) => createSearch(own, request, origin),
    }),
  );

  app.get(
    "/searches",
    {
      schema: {
        operationId: "listSearches",
        summary: "List searches, newest first",
        description: "Each as GET shows it.",
        tags: ["learning rate"],
        querystring: Type.Object(listFields("search"), strict),
        response: {
          200: Type.Object({ searches: Type.Array(SearchRef), next: NextSchema }, strict),
          400: problemResponse("A parameter is wrong"),
        },
      },
    },
    async ({ query, own: { searches } }) => {
      const { records, next } = await searches.list(query);
      return { searches: records.map(toSearch), next };
    },
  );

  app.get(
    "/searches/:id",
    {
      schema: {
        operationId: "getSearch",
        summary: "Get a search",
        description: "What is known so far, and once it is over the answer.",
        tags: ["learning rate"],
        params,
        response: { 200: SearchRef, 404: problemResponse("No such search") },
      },
    },
    async (request) => toSearch(await existing(request.own.searches, request.params.id)),
  );

  app.post(
    "/searches/:id/cancel",
    {
      schema: {
        operationId: "cancelSearch",
        summary: "Cancel a search, and the runs it has made",
        description: "Repeating is harmless.",
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
      const { searches, runs } = request.own;
      const record = await cancelRecord(searches, request.params.id);
      // A worker that has it sees to that itself.
      if (record.status === "canceled") await forsake(runs, record);
      return reply.code(202).send(toSearch(record));
    },
  );

  app.delete(
    "/searches/:id",
    {
      schema: {
        operationId: "deleteSearch",
        summary: "Delete a search, with the runs it has made",
        description: "Not while it is under way.",
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
      const { searches, runs } = request.own;
      const record = await existing(searches, id);
      const outcome = await searches.delete(id);
      if (outcome === "deleted") await forsake(runs, record);
      refuse(id, outcome, "The search is under way: cancel it first");
      return reply.code(204).send(null);
    },
  );
};

function toSearch(record: SearchRecord): Search {
  const { id, spec, state, answer } = record;
  const self = `/v1/searches/${id}`;
  return {
    id,
    status: record.status,
    reason: record.reason,
    spec,
    progress: {
      stage: state?.stage ?? "scan",
      done: record.committed,
      pending: state?.pending.reduce((sum, { seeds }) => sum + seeds.length, 0) ?? 0,
      steps: state?.trials.reduce((sum, { steps }) => sum + steps, 0) ?? 0,
    },
    standing: answer?.ranking ?? (state === null ? [] : standingOf({ ...state, config: configOf(spec) })),
    answer,
    warnings: record.advice?.warnings ?? [],
    createdAt: isoTime(record.createdAt),
    finishedAt: isoTime(record.finishedAt),
    links: { self, runs: `/v1/runs?parent=${id}`, stream: `${self}/stream`, events: `${self}/events` },
  };
}
