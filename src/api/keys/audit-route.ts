import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { LIMITS } from "../../schemas/limits.js";
import { strict } from "../../schemas/strict.js";
import { DEFAULT_TENANT, TENANT_NAME } from "../../schemas/tenant.js";
import type { ApiDeps } from "../deps.js";
import { isoTime } from "../http/iso-time.js";
import { NextSchema } from "../http/paging.js";
import { invalidRequest } from "../http/problems.js";

export const auditRoute: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { audit }) => {
  app.get(
    "/audit",
    {
      config: { access: "admin" },
      schema: {
        operationId: "listAudit",
        summary: "Who changed what, newest first",
        description: `Also what was refused; about the newest ${LIMITS.auditEntries} of a tenant are kept.`,
        tags: ["keys"],
        querystring: Type.Object(
          {
            tenant: Type.Optional(Type.String({ pattern: TENANT_NAME })),
            after: Type.Optional(Type.String({ pattern: "^\\d{1,16}-\\d{1,16}$" })),
            limit: Type.Integer({ minimum: 1, maximum: LIMITS.pageSize, default: LIMITS.pageSize }),
          },
          strict,
        ),
        response: { 200: Type.Object({ entries: Type.Array(Type.Ref("AuditEntry")), next: NextSchema }, strict) },
      },
    },
    async (request) => {
      const { tenant = request.tenant, after = null, limit } = request.query;
      if (tenant !== request.tenant && request.tenant !== DEFAULT_TENANT) {
        throw invalidRequest([{ pointer: "/tenant", expected: `${request.tenant}, your own` }]);
      }
      const found = await audit.list(tenant, after, limit);
      const entries = found.map((entry) => ({ ...entry, at: isoTime(entry.at) }));
      return { entries, next: found.length < limit ? null : found.at(-1)!.id };
    },
  );
};
