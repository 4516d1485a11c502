import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyPluginAsync } from "fastify";
import { addPageHeaders } from "./page-headers.js";

/** Where the build puts the dashboard. */
const ROOT = fileURLToPath(new URL("../../web/", import.meta.url));
const FILES = { "/": "index.html", "/app.js": "app.js", "/app.css": "app.css" } as const;

/** Only our own files, and talk with this server alone. */
const POLICY = {
  "script-src": ["'self'"],
  "style-src": ["'self'"],
  "connect-src": ["'self'"],
  "img-src": ["'self'", "data:", "blob:"],
};

/** The dashboard. A process without a built one serves the API alone. */
export const webRoutes: FastifyPluginAsync = async (app) => {
  if (!existsSync(`${ROOT}index.html`)) {
    app.log.warn("no dashboard: run the build");
    return;
  }
  await addPageHeaders(app, POLICY);
  await app.register(fastifyStatic, { root: ROOT, serve: false, preCompressed: true, cacheControl: false });
  for (const [path, file] of Object.entries(FILES)) {
    app.get(path, { schema: { hide: true } as object }, (_request, reply) => reply.sendFile(file));
  }
};
