import type { FastifyInstance } from "fastify";
import { Histogram, type Registry } from "prom-client";

/** Streams last as long as their readers like: their number is a gauge, their length says nothing. */
const STREAM = /\/(stream|events)$/;

/** Rate, errors and duration of every route. */
export function measureRequests(app: FastifyInstance, registry: Registry): void {
  const duration = new Histogram({
    name: "anneal_http_request_duration_seconds",
    help: "Requests answered by this process, by route; without streams",
    labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    if (STREAM.test(route) && reply.statusCode < 400) return;
    duration.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
}
