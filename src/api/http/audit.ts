import type { FastifyInstance, FastifyRequest } from "fastify";
import { withoutKeys } from "../../schemas/api-key.js";
import type { AuditStore } from "../../store/contract.js";

const READS = ["GET", "HEAD", "OPTIONS"];

/** Notes what changes something, or was refused: who, what, and what came of it. Bodies are not looked at. */
export function keepAudit(app: FastifyInstance, audit: AuditStore): void {
  app.addHook("onResponse", async (request, reply) => {
    const { method, routeOptions, tenant, apiKey, id: traceId } = request;
    if (READS.includes(method) || !routeOptions.url?.startsWith("/v1/")) return;
    const { operationId = routeOptions.url } = (routeOptions.schema ?? {}) as { operationId?: string };
    const target = targetOf(request, reply.getHeader("location"));
    const key = apiKey?.id ?? null;
    const { statusCode: status } = reply;
    audit.note({ at: Date.now(), tenant, key, operation: operationId, target, status, traceId });
  });
  app.addHook("onClose", () => audit.flush().catch(() => {}));
}

/** What is in the path, or what was made. */
function targetOf({ params }: FastifyRequest, location: unknown): string | null {
  const { id, name } = (params ?? {}) as { id?: string; name?: string };
  const target = id ?? name ?? (typeof location === "string" ? location.split("/").at(-1) : undefined);
  return target === undefined ? null : withoutKeys(target).slice(0, 100);
}
