import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { API_KEY_ID, type ApiKey, type ApiKeyRequest, type Session, SessionSchema } from "../../schemas/api-key.js";
import { ProblemError } from "../../schemas/problem.js";
import { strict } from "../../schemas/strict.js";
import { DEFAULT_TENANT } from "../../schemas/tenant.js";
import type { ApiKeyRecord } from "../../store/contract.js";
import type { ApiDeps } from "../deps.js";
import { SESSION_COOKIE } from "../http/authentication.js";
import { notFound } from "../http/existing.js";
import { isoTime } from "../http/iso-time.js";
import { invalidRequest } from "../http/problems.js";
import { problemResponse } from "../http/responses.js";

const tags = ["keys"];
const params = Type.Object({ id: Type.String({ pattern: API_KEY_ID }) });
const noSuchKey = problemResponse("No such key");
const admin = { access: "admin" } as const;

export const keyRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { apiKeys }) => {
  /** An admin of the default tenant manages all keys, another those of the own tenant. */
  const manages = (request: FastifyRequest, tenant: string) =>
    request.tenant === DEFAULT_TENANT || request.tenant === tenant;
  const managed = async (request: FastifyRequest, id: string) => {
    const record = await apiKeys.get(id);
    if (record === null || !manages(request, record.tenant)) throw notFound(`key ${id}`);
  };

  app.post(
    "/keys",
    {
      config: admin,
      schema: {
        operationId: "createKey",
        summary: "Make a key to this API",
        description: "Its text is in this answer alone. `npm run keys -- create` makes the first.",
        tags,
        body: Type.Ref("ApiKeyRequest"),
        response: { 201: Type.Ref("NewApiKey"), 400: problemResponse("A field is wrong") },
      },
    },
    async (request, reply) => {
      const { name, scope = "write", expiresInDays = null, tenant = request.tenant } = request.body as ApiKeyRequest;
      if (!manages(request, tenant))
        throw invalidRequest([{ pointer: "/tenant", expected: `${request.tenant}, your own` }]);
      const { record, key } = await apiKeys.create(name, scope, expiresInDays, tenant);
      return reply
        .code(201)
        .header("location", `/v1/keys/${record.id}`)
        .header("cache-control", "no-store")
        .send({ ...toApiKey(record), key });
    },
  );

  app.get(
    "/keys",
    {
      config: admin,
      schema: {
        operationId: "listKeys",
        summary: "List the keys, oldest first",
        description: "Without the keys themselves.",
        tags,
        response: { 200: Type.Object({ keys: Type.Array(Type.Ref("ApiKey")) }, strict) },
      },
    },
    async (request) => {
      const keys = await apiKeys.list();
      return { keys: keys.filter(({ tenant }) => manages(request, tenant)).map(toApiKey) };
    },
  );

  app.post(
    "/keys/:id/rotate",
    {
      config: admin,
      schema: {
        operationId: "rotateKey",
        summary: "Give a key another text",
        description: "The old one is dead within a second.",
        tags,
        params,
        response: { 200: Type.Ref("NewApiKey"), 404: noSuchKey },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await managed(request, id);
      const rotated = await apiKeys.rotate(id);
      if (rotated === null) throw notFound(`key ${id}`);
      return reply.header("cache-control", "no-store").send({ ...toApiKey(rotated.record), key: rotated.key });
    },
  );

  app.delete(
    "/keys/:id",
    {
      config: admin,
      schema: {
        operationId: "revokeKey",
        summary: "Revoke a key",
        description: "It is dead within a second.",
        tags,
        params,
        response: { 204: Type.Null(), 404: noSuchKey },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await managed(request, id);
      if (!(await apiKeys.revoke(id))) throw notFound(`key ${id}`);
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/session",
    {
      schema: {
        operationId: "getSession",
        summary: "Who asks: whose key, and what it may",
        description: "By its key or cookie.",
        tags,
        response: { 200: SessionSchema },
      },
    },
    async ({ tenant, apiKey }): Promise<Session> => ({
      tenant,
      scope: apiKey?.scope ?? "admin",
      key: apiKey?.name ?? null,
    }),
  );

  app.post(
    "/session",
    {
      config: { access: "public" },
      schema: {
        operationId: "signIn",
        summary: "Sign a browser in with a key",
        description: "By an HttpOnly cookie, for 12 hours or as long as the key lives.",
        tags,
        body: Type.Object({ key: Type.String({ maxLength: 200 }) }, strict),
        response: { 204: Type.Null(), 401: problemResponse("The key is dead") },
      },
    },
    async (request, reply) => {
      const { key } = request.body as { key: string };
      const record = await apiKeys.find(key);
      if (record === null) throw new ProblemError("unauthorized", "The key is unknown, expired or revoked");
      request.apiKey = record;
      return reply
        .code(204)
        .header("set-cookie", cookieOf(await apiKeys.beginSession(record), request.protocol))
        .send(null);
    },
  );

  app.delete(
    "/session",
    {
      config: { access: "public" },
      schema: {
        operationId: "signOut",
        summary: "Sign a browser out",
        description: "Its cookie is dead from then on.",
        tags,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const token = request.cookies?.[SESSION_COOKIE];
      if (token !== undefined) {
        request.apiKey = await apiKeys.findSession(token);
        await apiKeys.endSession(token);
      }
      return reply
        .code(204)
        .header("set-cookie", `${cookieOf("", request.protocol)}; Max-Age=0`)
        .send(null);
    },
  );
};

/** No script reads it, and no other site's page sends it along. */
const cookieOf = (token: string, protocol: string): string =>
  `${SESSION_COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict${protocol === "https" ? "; Secure" : ""}`;

function toApiKey({ id, name, scope, tenant, ...times }: ApiKeyRecord): ApiKey {
  const { createdAt, expiresAt, lastUsedAt } = times;
  return {
    id,
    name,
    scope,
    tenant,
    createdAt: isoTime(createdAt),
    expiresAt: isoTime(expiresAt),
    lastUsedAt: isoTime(lastUsedAt),
  };
}
