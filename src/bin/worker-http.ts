import Fastify, { type FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import { createScrape } from "../api/http/scrape.js";
import { LIMITS } from "../schemas/limits.js";

/** A worker's own endpoint, for probes and scrapes: /healthz, /readyz and /metrics as the API has them. Listens. */
export async function startWorkerHttp(
  { host, port }: { readonly host: string; readonly port: number },
  registry: Registry,
  readiness: () => Promise<string | null>,
): Promise<FastifyInstance> {
  const app = Fastify({ requestTimeout: LIMITS.requestMs, forceCloseConnections: true });
  const scrape = createScrape(registry);
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const problem = await readiness();
    return problem === null ? { status: "ready" } : reply.code(503).send({ status: problem });
  });
  app.get("/metrics", async (_request, reply) => reply.type(registry.contentType).send(await scrape()));
  await app.listen({ host, port });
  return app;
}
