import type { FastifyInstance } from "fastify";
import { ProblemError } from "../../schemas/problem.js";
import { nearest } from "./nearest.js";

/** Tells a known path under a wrong method (405, with Allow) from an unknown path (404). To be called before any route is declared. */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const methods = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    // A preflight's, which is everywhere.
    if (url === "*") return;
    const known = methods.get(url) ?? new Set();
    for (const name of [method].flat()) known.add(name);
    methods.set(url, known);
  });
  const paths: { readonly pattern: RegExp; readonly allow: ReadonlySet<string> }[] = [];
  app.addHook("onReady", async () => {
    for (const [url, allow] of methods) {
      const pattern = url
        .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
        .replace(/:\w+/g, "[^/]+")
        .replaceAll("*", ".*");
      paths.push({ pattern: new RegExp(`^${pattern}$`), allow });
    }
  });
  // Before a body is looked at: its type is of no interest where nothing takes it.
  app.addHook("onRequest", async (request, reply) => {
    if (!request.is404) return;
    const { method, url } = request;
    const path = url.split("?", 1)[0]!;
    const allow = new Set(paths.filter(({ pattern }) => pattern.test(path)).flatMap((known) => [...known.allow]));
    if (allow.size === 0) {
      const near = nearest(path, methods.keys());
      const hint = near === null ? "GET /docs lists what there is" : `did you mean ${near}?`;
      throw new ProblemError("not-found", `There is no ${method} ${url}; ${hint}`);
    }
    const names = [...allow].sort().join(", ");
    reply.header("allow", names);
    throw new ProblemError("method-not-allowed", `${method} does nothing at ${path}; it takes ${names}`);
  });
}
