import { hostname } from "node:os";
import { FastifyOtelInstrumentation } from "@fastify/otel";
import { context, type Span, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import type { Telemetry as QueueTelemetry } from "bullmq";
import { BullMQOtel } from "bullmq-otel";
import type { FastifyPluginCallback } from "fastify";
import { VERSION } from "../api/http/version.js";
import type { TrainingEvent } from "../train/events.js";

/** Traces, from the request over the job to the commit. */
export interface Telemetry {
  readonly fastify: FastifyPluginCallback;
  readonly queue: QueueTelemetry;
  /** Takes the events of an attempt at a run, as a child of the span that is active now. */
  attempt(runId: string): (event: TrainingEvent) => void;
  /** Sends what has not been sent. */
  close(): Promise<void>;
}

/** A long run has millions of commits: a span for one a second. */
const COMMIT_SPAN_MS = 1000;

/** `endpoint`: of a collector that takes OTLP over HTTP. Its other settings are OpenTelemetry's own variables. */
export async function startTelemetry(endpoint: string): Promise<Telemetry> {
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      "service.name": "anneal",
      "service.version": VERSION,
      "host.name": hostname(),
      "process.pid": process.pid,
    }).merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, "")}/v1/traces` })),
    ],
  });
  provider.register();
  const tracer = trace.getTracer("anneal", VERSION);
  const fastify = new FastifyOtelInstrumentation({
    ignorePaths: ({ url }) => /^\/(healthz|readyz|metrics)|\/(stream|events)$/.test(url),
    instrumentHooks: false,
    requestHook: (span, request) => span.setAttribute("anneal.trace_id", request.id),
  });
  return {
    fastify: fastify.plugin() as unknown as FastifyPluginCallback,
    queue: new BullMQOtel({ tracerName: "anneal", version: VERSION }),
    attempt: (runId) => {
      const parent = context.active();
      let span: Span | null = null;
      let commits = 0;
      let shownAt = 0;
      return (event) => {
        if (event.type === "claimed") {
          span = tracer.startSpan(
            "train",
            { attributes: { "anneal.run": runId, "anneal.attempt": event.attempt } },
            parent,
          );
        } else if (event.type === "committed") {
          commits++;
          if (event.sentAt - shownAt < COMMIT_SPAN_MS) return;
          shownAt = event.sentAt;
          const attributes = { "anneal.steps": event.steps, "anneal.commit.waited_seconds": event.waited };
          const at = span === null ? parent : trace.setSpan(parent, span);
          tracer.startSpan("commit", { startTime: event.sentAt, attributes }, at).end();
        } else {
          span?.setAttributes({ "anneal.outcome": event.outcome, "anneal.commits": commits });
          if (event.outcome === "failed") span?.setStatus({ code: SpanStatusCode.ERROR });
          span?.end();
        }
      };
    },
    close: () => provider.shutdown(),
  };
}
