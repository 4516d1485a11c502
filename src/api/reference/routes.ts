import type { FastifyPluginAsync } from "fastify";
import { addPageHeaders } from "../http/page-headers.js";
import { type Document, referencePage } from "./page.js";
import { SAMPLE_URL } from "./sections.js";
import { STYLE } from "./style.js";

/** Our own style sheet, and nothing else. */
const POLICY = { "style-src": ["'self'"] };
const HOST = /^[a-z0-9.:[\]-]{1,255}$/i;

/** The reference for people at /docs, and for programs at /docs/json and /docs/yaml. */
export const referenceRoutes: FastifyPluginAsync = async (app) => {
  const schema = { hide: true } as object;
  await addPageHeaders(app, POLICY);
  // Made once, with the sample's address; each answer has its own.
  let page: string | undefined;
  app.get("/docs", { schema }, async ({ host, protocol }, reply) => {
    page ??= referencePage(app.swagger() as unknown as Document);
    const url = HOST.test(host) ? `${protocol}://${host}` : SAMPLE_URL;
    const own = page.replaceAll(SAMPLE_URL, url).replaceAll(inWebSocket(SAMPLE_URL), inWebSocket(url));
    return reply.type("text/html; charset=utf-8").send(own);
  });
  app.get("/docs/", { schema }, (_request, reply) => reply.redirect("/docs"));
  app.get("/docs/style.css", { schema }, (_request, reply) => reply.type("text/css; charset=utf-8").send(STYLE));
  app.get("/docs/json", { schema }, async () => app.swagger());
  app.get("/docs/yaml", { schema }, (_request, reply) =>
    reply.type("application/yaml").send(app.swagger({ yaml: true })),
  );
};

const inWebSocket = (url: string) => url.replace(/^http/, "ws");
