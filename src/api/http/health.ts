import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { ProblemError } from "../../schemas/problem.js";
import type { ApiDeps } from "../deps.js";

export const healthRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { readiness }) => {
  app.get("/healthz", { schema: { summary: "Is the process alive?", tags: ["health"] } }, async () => ({
    status: "ok",
  }));

  app.get(
    "/readyz",
    { schema: { summary: "Can it do its work: Redis answers, a worker has been seen", tags: ["health"] } },
    async () => {
      const problem = await readiness();
      if (problem !== null) throw new ProblemError("unavailable", problem);
      return { status: "ready" };
    },
  );
};
