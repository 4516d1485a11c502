import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { ProblemError } from "../../schemas/problem.js";
import { strict } from "../../schemas/strict.js";
import type { ApiDeps } from "../deps.js";
import { problemResponse } from "./responses.js";

export const healthRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { readiness }) => {
  app.get(
    "/healthz",
    {
      schema: {
        operationId: "getHealth",
        summary: "Is the process alive?",
        description: "Asks nothing but the process itself.",
        tags: ["health"],
        response: { 200: Type.Object({ status: Type.Literal("ok") }, strict) },
      },
    },
    async () => ({
      status: "ok" as const,
    }),
  );

  app.get(
    "/readyz",
    {
      schema: {
        operationId: "getReadiness",
        summary: "Can it do its work: Redis answers, a worker has been seen",
        description: "For a load balancer: 503 says what is missing.",
        tags: ["health"],
        response: {
          200: Type.Object({ status: Type.Literal("ready") }, strict),
          503: problemResponse("What it lacks"),
        },
      },
    },
    async () => {
      const problem = await readiness();
      if (problem !== null) throw new ProblemError("unavailable", problem);
      return { status: "ready" as const };
    },
  );
};
