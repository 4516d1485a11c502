import helmet from "@fastify/helmet";
import type { FastifyInstance } from "fastify";

/** What a page may load: nothing but this, in any case no inline code, no plugin, no frame around it. */
export type PagePolicy = Readonly<Record<string, readonly string[]>>;

/** The headers of every answer in this plugin, which serves pages to people. They are looked at anew each time: releases change them. */
export async function addPageHeaders(app: FastifyInstance, policy: PagePolicy): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
        ...policy,
      },
    },
    // A matter of whoever terminates TLS; browsers complain of the other two where there is none.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-cache");
  });
}
