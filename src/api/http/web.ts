import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyPluginAsync } from "fastify";

/** Where the build puts the dashboard. */
const ROOT = fileURLToPath(new URL("../../web/", import.meta.url));
const FILES = { "/": "index.html", "/app.js": "app.js", "/app.css": "app.css" } as const;

/** Only our own files, no inline code, no plugin, no frame, and talk with this server alone. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The dashboard. A process without a built one serves the API alone. */
export const webRoutes: FastifyPluginAsync = async (app) => {
  if (!existsSync(`${ROOT}index.html`)) {
    app.log.warn("no dashboard: run the build");
    return;
  }
  await app.register(fastifyStatic, { root: ROOT, serve: false, preCompressed: true, cacheControl: false });
  for (const [path, file] of Object.entries(FILES)) {
    app.get(path, { schema: { hide: true } as object }, (_request, reply) =>
      reply
        .headers({
          "content-security-policy": POLICY,
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
          "cache-control": "no-cache",
        })
        .sendFile(file),
    );
  }
};
