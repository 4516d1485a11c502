import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ProblemError } from "../../schemas/problem.js";

export interface RateLimitOptions {
  /** Requests in a minute of one key or, without keys, of one address. */
  readonly perMinute: number;
  /** An ioredis client. */
  readonly redis: unknown;
  /** Of all its keys in Redis. */
  readonly namespace: string;
}

/** Bounds what one client may ask, over all APIs on one Redis; to be called before any route is declared, and after the keys. */
export async function limitRates(app: FastifyInstance, options: RateLimitOptions | undefined): Promise<void> {
  if (options === undefined) return;
  const { perMinute, redis, namespace } = options;
  await app.register(rateLimit, {
    max: perMinute,
    timeWindow: 60_000,
    redis,
    nameSpace: namespace,
    // Without Redis nothing else is answered either, and in its own words.
    skipOnError: true,
    enableDraftSpec: true,
    keyGenerator: (request) => request.apiKey?.id ?? request.ip,
    allowList: (request) => !isLimited(request),
    errorResponseBuilder: (_request, { ttl }) =>
      new ProblemError(
        "too-many-requests",
        `At most ${perMinute} requests a minute are answered; again in ${Math.ceil(ttl / 1000)} s`,
      ),
  });
}

/** Not the page, nor what watches the service. */
const isLimited = ({ routeOptions: { url = "" } }: FastifyRequest): boolean => url.startsWith("/v1/");
