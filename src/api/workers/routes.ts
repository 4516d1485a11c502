import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import type { Workers } from "../../schemas/worker.js";
import type { HeldRun } from "../../store/contract.js";
import type { ApiDeps } from "../deps.js";
import { isoTime } from "../http/iso-time.js";
import { problemResponse } from "../http/responses.js";

export const workerRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { fleet }) => {
  app.get(
    "/workers",
    {
      schema: {
        operationId: "listWorkers",
        summary: "The workers that are alive, and what each trains",
        description: "Each tells Redis of itself every few seconds.",
        tags: ["health"],
        response: { 200: Type.Ref("Workers"), 503: problemResponse("Redis is away") },
      },
    },
    async ({ own: { runs } }): Promise<Workers> => {
      const [workers, held, now] = await Promise.all([fleet.workers(), runs.training(), runs.now()]);
      const view = ({ id, claimedAt, committed, committedAt }: HeldRun) => ({
        id,
        since: isoTime(claimedAt),
        steps: committed,
        committedAt: committedAt === null ? null : isoTime(committedAt),
        lagSeconds: Math.max(0, now - Math.max(claimedAt, committedAt ?? 0)) / 1000,
      });
      const alive = new Set(workers.map(({ worker }) => worker));
      return {
        workers: workers.map(({ worker, slots, seenAt, facts }) => ({
          id: worker,
          host: facts.host,
          pid: facts.pid,
          version: facts.version,
          engines: facts.engines,
          slots,
          startedAt: isoTime(facts.startedAt),
          seenAt: isoTime(seenAt),
          lagMs: facts.lagMs,
          training: held.filter((run) => run.worker === worker).map(view),
        })),
        lost: held.filter((run) => !alive.has(run.worker)).map((run) => ({ ...view(run), worker: run.worker })),
      };
    },
  );
};
