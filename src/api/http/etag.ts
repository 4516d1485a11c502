import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { VERSION } from "./version.js";

/** Weak: the same answer may be compressed or not. */
const tagOf = (content: string | Buffer) => `W/"${createHash("sha1").update(content).digest("base64url")}"`;

/**
 * Gives what is made whole an ETag, and answers 304 where the client has it already. To be called before anything that changes
 * payloads. (@fastify/etag would do so for refusals and for POST as well.)
 */
export function addEtags(app: FastifyInstance): void {
  app.addHook("onSend", (request, reply, payload, done) => {
    if (request.method !== "GET" || reply.statusCode !== 200) return done(null, payload);
    if (!reply.hasHeader("etag") && (typeof payload === "string" || Buffer.isBuffer(payload))) {
      reply.header("etag", tagOf(payload));
    }
    if (!hasIt(request, reply)) return done(null, payload);
    if (payload instanceof Readable) payload.destroy();
    reply.code(304).removeHeader("content-type").removeHeader("content-length");
    done(null, null);
  });
}

/**
 * Of an answer that depends on its URL, what it accepts and `facts` alone, such as a run that is over: gives it an ETag before it
 * is made. True: the client has it, and nothing need be made; the route sends null.
 */
export function hasUnchanged(request: FastifyRequest, reply: FastifyReply, facts: readonly unknown[]): boolean {
  const { url, headers } = request;
  reply.header("etag", tagOf(JSON.stringify([VERSION, url, headers.accept ?? null, ...facts])));
  return hasIt(request, reply);
}

function hasIt(request: FastifyRequest, reply: FastifyReply): boolean {
  const tag = String(reply.getHeader("etag") ?? "").replace(/^W\//, "");
  const known = request.headers["if-none-match"]?.split(",").map((each) => each.trim().replace(/^W\//, "")) ?? [];
  return tag !== "" && (known.includes(tag) || known.includes("*"));
}
