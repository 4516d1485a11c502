import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { ApiDeps } from "../deps.js";
import { mediaResponse } from "./responses.js";

/** Some samples of the event loop (eventLoopMonitoringPrecision) long. */
const SHARED_MS = 200;

/** Metrics for a person on call; what is shared by all processes is read from Redis when asked for. */
export const prometheusRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { runs, queue, tail }) => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `anneal_${name}`, help, labelNames, registers: [registry] });
  const records = gauge("records", "Runs, searches and experiments by status", ["status"]);
  const jobs = gauge("jobs", "Jobs of runs in the queue by state", ["state"]);
  const oldest = gauge("oldest_queued_seconds", "How long the oldest queued run has waited; 0: none waits");
  const commits = gauge("commits_total", "Commits of metrics and checkpoints, by all workers since ever");
  const steps = gauge("steps_total", "Steps committed, by all workers since ever");
  const refused = gauge("refused_writes_total", "Writes of attempts that had lost their run, refused");
  const subscribers = gauge("subscribers", "Readers of streams on this process");
  const lag = gauge(
    "subscriber_lag_steps",
    "Steps that the reader furthest behind on this process has still to be sent",
  );

  // Node's event-loop histogram begins anew with each answer, and one without a sample would be NaN: who asks meanwhile shares it.
  let shared: { readonly madeAt: number; readonly text: Promise<string> } | null = null;
  const scrape = (): Promise<string> => {
    if (shared === null || performance.now() - shared.madeAt > SHARED_MS) {
      shared = { madeAt: performance.now(), text: measure() };
    }
    return shared.text;
  };

  app.get(
    "/metrics",
    {
      schema: {
        operationId: "getPrometheusMetrics",
        summary: "Prometheus metrics",
        description: "What all processes share is read from Redis when it is asked for.",
        tags: ["health"],
        response: { 200: mediaResponse("In the text exposition format", ["text/plain"]) },
      },
    },
    async (_request, reply) => reply.type(registry.contentType).send(await scrape()),
  );

  async function measure(): Promise<string> {
    const [census, totals, counts] = await Promise.all([runs.census(), runs.totals(), queue.counts()]);
    for (const [status, count] of Object.entries(census.counts)) records.set({ status }, count);
    for (const [state, count] of Object.entries(counts)) jobs.set({ state }, count);
    oldest.set((census.longestWaitMs ?? 0) / 1000);
    commits.set(totals.commits);
    steps.set(totals.steps);
    refused.set(totals.refused);
    const lags = tail.lags();
    subscribers.set(lags.length);
    lag.set(lags.reduce((most, steps) => Math.max(most, steps), 0));
    return registry.metrics();
  }
};
