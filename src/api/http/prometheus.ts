import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Counter, Gauge, Registry } from "prom-client";
import type { ApiDeps } from "../deps.js";
import { mediaResponse } from "./responses.js";
import { createScrape } from "./scrape.js";

/**
 * Metrics for a person on call: at /metrics those of this process, at /metrics/shared those that all processes share, read from
 * Redis when asked for. Apart, since every API would say the same, and a sum over them would count it once for each.
 */
export const prometheusRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { registry, tail, allRuns, queue }) => {
  const gaugeOf = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `anneal_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gaugeOf("subscribers", "Readers of streams on this process", () => tail.lags().length);
  gaugeOf("subscriber_lag_steps", "Steps that the reader furthest behind on this process has still to be sent", () =>
    tail.lags().reduce((most, steps) => Math.max(most, steps), 0),
  );
  const scrape = createScrape(registry);
  const response = { 200: mediaResponse("In the text exposition format", ["text/plain"]) };
  app.get(
    "/metrics",
    {
      config: { operator: true },
      schema: {
        operationId: "getPrometheusMetrics",
        summary: "Prometheus metrics of this process",
        description: "What all processes share is read from Redis when it is asked for.",
        tags: ["health"],
        response,
      },
    },
    async (_request, reply) => reply.type(registry.contentType).send(await scrape()),
  );

  app.get(
    "/metrics/shared",
    {
      config: { operator: true },
      schema: {
        operationId: "getSharedPrometheusMetrics",
        summary: "Prometheus metrics that all processes share; scrape them once",
        description: "Read from Redis: the same from every process.",
        tags: ["health"],
        response,
      },
    },
    async (_request, reply) => {
      const [census, totals, counts] = await Promise.all([allRuns.census(), allRuns.totals(), queue.counts()]);
      const shared = new Registry();
      const gauge = (name: string, help: string, values: Readonly<Record<string, number>>, label: string) => {
        const made = new Gauge({ name: `anneal_${name}`, help, labelNames: [label], registers: [shared] });
        for (const [key, value] of Object.entries(values)) made.set({ [label]: key }, value);
      };
      gauge("records", "Runs, searches and experiments by status", census.counts, "status");
      gauge("jobs", "Jobs of runs in the queue by state", counts, "state");
      const oldest = "How long the oldest queued run has waited; 0: none waits";
      new Gauge({ name: "anneal_oldest_queued_seconds", help: oldest, registers: [shared] }).set(
        (census.longestWaitMs ?? 0) / 1000,
      );
      const counter = (name: string, help: string, value: number) =>
        new Counter({ name: `anneal_${name}_total`, help, registers: [shared] }).inc(value);
      counter("commits", "Commits of metrics and checkpoints, by all workers since ever", totals.commits);
      counter("steps", "Steps committed, by all workers since ever", totals.steps);
      counter("refused_writes", "Writes of attempts that had lost their run, refused", totals.refused);
      counter("crashes", "Attempts that ended without a word: their worker died", totals.crashes);
      return reply.type(shared.contentType).send(await shared.metrics());
    },
  );
};
