import type { FastifyInstance } from "fastify";
import { ProblemError } from "../../schemas/problem.js";
import type { QuotaStore, Uncreated } from "../../store/contract.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Its answer is open for as long as the reader likes, and counts towards the quota of sockets. */
    stream?: boolean;
  }
}

export type Exceeded = Extract<Uncreated, `over-${string}`>;

const WAYS_OUT = {
  "over-queued": { name: "queued", what: "waiting for a worker", until: "once one of them has begun" },
  "over-steps": { name: "stepsPerDay", what: "steps a day", until: "at midnight UTC" },
  "over-bytes": { name: "bytes", what: "bytes stored", until: "once something of it is deleted" },
} as const;
/** Where it is not known when there will be room, a client asks again after so long. */
const ASK_AGAIN_SECONDS = 10;

/** The refusal of what would exceed a tenant's quota: with what, and until when. */
export async function quotaProblem(quotas: QuotaStore, tenant: string, exceeded: Exceeded): Promise<ProblemError> {
  const { name, what, until } = WAYS_OUT[exceeded];
  const [most, used] = await Promise.all([quotas.get(tenant), quotas.used(tenant)]);
  const limit = most[name] ?? 0;
  const seconds = name === "stepsPerDay" ? Math.ceil((used.newDayAt - Date.now()) / 1000) : ASK_AGAIN_SECONDS;
  const has = `${used[name]} of ${limit} ${what}`;
  return tooMany(
    `The tenant ${tenant} has ${has}: there is room for this ${until}`,
    limit,
    limit - used[name]!,
    seconds,
  );
}

function tooMany(detail: string, limit: number, remaining: number, seconds: number): ProblemError {
  return new ProblemError("too-many-requests", detail, undefined, {
    "retry-after": String(Math.max(1, seconds)),
    "ratelimit-limit": String(limit),
    "ratelimit-remaining": String(Math.max(0, remaining)),
    "ratelimit-reset": String(Math.max(1, seconds)),
  });
}

/** Bounds the sockets and event streams that a tenant has open at this process. To be called before any route is declared. */
export function limitSockets(app: FastifyInstance, quotas: QuotaStore): void {
  const open = new Map<string, number>();
  app.addHook("onRequest", async ({ tenant, routeOptions, headers, raw }, reply) => {
    const isUpgrade = headers.upgrade !== undefined;
    if (!routeOptions.config.stream) return;
    const { sockets } = await quotas.get(tenant);
    const used = open.get(tenant) ?? 0;
    if (sockets !== null && used >= sockets) {
      const detail = `The tenant ${tenant} has ${used} of ${sockets} sockets and event streams open: there is room once it has closed one`;
      throw tooMany(detail, sockets, 0, ASK_AGAIN_SECONDS);
    }
    open.set(tenant, used + 1);
    (isUpgrade ? raw.socket : reply.raw).once("close", () => {
      const left = open.get(tenant)! - 1;
      if (left === 0) open.delete(tenant);
      else open.set(tenant, left);
    });
  });
}
