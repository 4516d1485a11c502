import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { idSchema } from "../../schemas/record-kinds.js";
import type { ApiDeps } from "../deps.js";
import { existing, notFound } from "../http/existing.js";
import { problemResponse } from "../http/responses.js";

const DeliveriesRef = Type.Ref("Deliveries");
const params = Type.Object({ id: idSchema("run", "search", "experiment") });
const response = { 404: problemResponse("No such webhook") };

export const webhookRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app) => {
  app.get(
    "/webhooks/:id",
    {
      schema: {
        operationId: "getDeliveries",
        summary: "How far a record's webhook is",
        description: "Of a run, search or experiment.",
        tags: ["streams"],
        params,
        response: { 200: DeliveriesRef, ...response },
      },
    },
    async ({ own: { webhooks }, params: { id } }) => existing(webhooks, id),
  );

  app.post(
    "/webhooks/:id/redeliver",
    {
      schema: {
        operationId: "redeliver",
        summary: "Tell it all again",
        description: "In order, by the same webhook-ids.",
        tags: ["streams"],
        params,
        response: { 202: DeliveriesRef, ...response },
      },
    },
    async ({ own: { webhooks }, params: { id } }, reply) => {
      if (!(await webhooks.redeliver(id))) throw notFound(id);
      return reply.code(202).send(await existing(webhooks, id));
    },
  );
};
