import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import cookie from "@fastify/cookie";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { allows, type Scope } from "../../schemas/api-key.js";
import { ProblemError } from "../../schemas/problem.js";
import { DEFAULT_TENANT } from "../../schemas/tenant.js";
import type { ApiKeyRecord, ApiKeyStore } from "../../store/contract.js";
import { notFound } from "./existing.js";

export const SESSION_COOKIE = "anneal_session";
/** A key is looked up this seldom, and connections that it has open are looked after as often: so it ends within a second. */
const LOOK_MS = 400;
const MOST_REMEMBERED = 10_000;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may use the route. Unless it says so: to read takes "read", all else "write". */
    access?: "public" | Scope;
    /** It tells of the service as a whole: for keys of the default tenant, and not there for others'. */
    operator?: boolean;
  }
  interface FastifyRequest {
    /** Whose key came with it; null: keys are off, or the route is for everybody. */
    apiKey: ApiKeyRecord | null;
  }
}

/** Every request that is not to a public route needs a key that is alive and may do it. To be called before any route is declared. */
export async function requireKeys(app: FastifyInstance, store: ApiKeyStore): Promise<void> {
  await app.register(cookie);
  const live = new LiveKeys(store);
  app.addHook("onClose", async () => live.close());
  app.addHook("onRequest", async (request, reply) => {
    const access = accessOf(request);
    if (access === "public") return;
    const given = credentialOf(request);
    const record = given === null ? null : await live.find(given);
    if (given === null || record === null) {
      reply.header("www-authenticate", 'Bearer realm="anneal"');
      const why =
        given === null ? "Send a key: authorization: Bearer anneal_..." : "The key is unknown, expired or revoked";
      throw new ProblemError("unauthorized", why);
    }
    request.apiKey = record;
    if (!allows(record.scope, access)) {
      throw new ProblemError("forbidden", `This takes a key of scope ${access}; this one's is ${record.scope}`);
    }
    if (request.routeOptions.config.operator && record.tenant !== DEFAULT_TENANT) throw notFound(request.url);
    request.log = request.log.child({ keyId: record.id });
    const { socket } = request.raw;
    live.hold(given, socket, request.headers.upgrade === undefined ? reply.raw : socket);
  });
}

function accessOf({ method, is404, routeOptions: { url = "", config } }: FastifyRequest): "public" | Scope {
  // The page, the documentation and the health checks are for everybody.
  if (is404 || !(url.startsWith("/v1/") || url.startsWith("/metrics"))) return "public";
  return config.access ?? (method === "GET" || method === "HEAD" ? "read" : "write");
}

/** A key or a session's token. */
type Credential = `key ${string}` | `session ${string}`;

function credentialOf({ headers, cookies }: FastifyRequest): Credential | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return `key ${bearer}`;
  const session = cookies[SESSION_COOKIE];
  return session === undefined ? null : `session ${session}`;
}

/** What Redis said of credentials just now; ends connections whose credential has died. */
class LiveKeys {
  readonly #store: ApiKeyStore;
  readonly #known = new Map<Credential, { readonly at: number; readonly record: Promise<ApiKeyRecord | null> }>();
  readonly #open = new Map<Credential, Set<Socket>>();
  readonly #timer: NodeJS.Timeout;

  constructor(store: ApiKeyStore) {
    this.#store = store;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  find(given: Credential): Promise<ApiKeyRecord | null> {
    const known = this.#known.get(given);
    if (known !== undefined && performance.now() - known.at < LOOK_MS) return known.record;
    const [kind, secret] = given.split(" ") as ["key" | "session", string];
    const record = kind === "key" ? this.#store.find(secret) : this.#store.findSession(secret);
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(given, { at: performance.now(), record });
    record.catch(() => this.#known.delete(given));
    return record;
  }

  /** Until `held` closes, a request's answer or its socket, the connection lives no longer than its key. */
  hold(given: Credential, socket: Socket, held: EventEmitter): void {
    const sockets = this.#open.get(given) ?? new Set();
    this.#open.set(given, sockets.add(socket));
    held.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0 && this.#open.get(given) === sockets) this.#open.delete(given);
    });
  }

  async #look(): Promise<void> {
    for (const [given, sockets] of [...this.#open]) {
      // Where Redis does not answer nothing is known: they stay.
      const record = await this.find(given).catch(() => undefined);
      if (record === null) for (const socket of sockets) socket.destroy();
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
