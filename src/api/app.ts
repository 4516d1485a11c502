import compress from "@fastify/compress";
import cors from "@fastify/cors";
import swagger from "@fastify/swagger";
import websocket from "@fastify/websocket";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { Type } from "typebox";
import { ApiKeyRequestSchema, ApiKeySchema, NewApiKeySchema } from "../schemas/api-key.js";
import { AuditEntrySchema } from "../schemas/audit.js";
import { CurveSchema } from "../schemas/curve.js";
import { DatasetSchema } from "../schemas/dataset.js";
import { EstimateSchema } from "../schemas/estimate.js";
import { ArmRequestSchema, ExperimentReportSchema, ExperimentRequestSchema } from "../schemas/experiment.js";
import { ExperimentSchema, ExperimentSummarySchema } from "../schemas/experiment-view.js";
import { LIMITS } from "../schemas/limits.js";
import { ProblemSchema } from "../schemas/problem.js";
import { RunChangeSchema, RunRequestSchema, RunSchema, RunSpecSchema } from "../schemas/run.js";
import { ScheduleRequestDefinition, ScheduleSpecDefinition } from "../schemas/schedule.js";
import { SearchRequestSchema, SearchSchema } from "../schemas/search.js";
import { StreamMessageSchema } from "../schemas/stream.js";
import { StreamCommandSchema, StreamReplySchema } from "../schemas/stream-many.js";
import { strict } from "../schemas/strict.js";
import { DeliveriesSchema } from "../schemas/webhook.js";
import { WorkersSchema } from "../schemas/worker.js";
import { datasetRoutes } from "./datasets/routes.js";
import type { ApiDeps } from "./deps.js";
import { estimateRoutes } from "./estimates/routes.js";
import { experimentRoutes } from "./experiments/routes.js";
import { keepAudit } from "./http/audit.js";
import { requireKeys } from "./http/authentication.js";
import { answerClientError } from "./http/client-error.js";
import { addEtags } from "./http/etag.js";
import { existing } from "./http/existing.js";
import { healthRoutes } from "./http/health.js";
import { takeJson } from "./http/json-body.js";
import { toOpenApi31 } from "./http/openapi-document.js";
import { giveOwn } from "./http/own.js";
import { sendProblem } from "./http/problems.js";
import { prometheusRoutes } from "./http/prometheus.js";
import { limitSockets } from "./http/quotas.js";
import { limitRates } from "./http/rate-limit.js";
import { measureRequests } from "./http/request-metrics.js";
import { refuseStrangers } from "./http/strangers.js";
import { traceIdOf } from "./http/trace-id.js";
import { createValidatorCompiler } from "./http/validation.js";
import { LICENSE, VERSION, versionRoutes } from "./http/version.js";
import { webRoutes } from "./http/web.js";
import { refuseUnknownRoutes } from "./http/wrong-method.js";
import { auditRoute } from "./keys/audit-route.js";
import { keyRoutes } from "./keys/routes.js";
import { curveRoutes } from "./metrics/curves.js";
import { metricsRoutes } from "./metrics/routes.js";
import { suggestionRoutes } from "./metrics/suggestions.js";
import { modelRoutes } from "./model/routes.js";
import { PlotThread } from "./plots/plot-thread.js";
import { plotRoutes } from "./plots/routes.js";
import { referenceRoutes } from "./reference/routes.js";
import { archiveRoutes } from "./runs/archive-routes.js";
import { runRoutes } from "./runs/routes.js";
import { runListEventRoutes } from "./runs/run-list-events.js";
import { scheduleRoutes } from "./schedules/routes.js";
import { searchRoutes } from "./searches/routes.js";
import { streamManyRoutes } from "./streams/many-routes.js";
import { type StreamOptions, streamRoutes } from "./streams/routes.js";
import { chooseProtocol } from "./streams/socket-protocol.js";
import { FAREWELL_MS } from "./streams/subscriptions.js";
import { webhookRoutes } from "./webhooks/routes.js";
import { workerRoutes } from "./workers/routes.js";

const SHARED = [
  ScheduleRequestDefinition,
  ScheduleSpecDefinition,
  ProblemSchema,
  RunRequestSchema,
  RunChangeSchema,
  RunSpecSchema,
  RunSchema,
  CurveSchema,
  SearchRequestSchema,
  SearchSchema,
  ArmRequestSchema,
  ExperimentRequestSchema,
  ExperimentReportSchema,
  ExperimentSchema,
  ExperimentSummarySchema,
  EstimateSchema,
  DatasetSchema,
  AuditEntrySchema,
  ApiKeyRequestSchema,
  ApiKeySchema,
  NewApiKeySchema,
  StreamMessageSchema,
  StreamCommandSchema,
  StreamReplySchema,
  WorkersSchema,
  DeliveriesSchema,
] as const;

/** What the operations are about, in the order of the document. */
const TAGS = [
  { name: "runs", description: "Trainings: create, look up, control" },
  { name: "metrics", description: "What a run has measured: exports, summaries, pictures" },
  { name: "streams", description: "Runs, searches and experiments as they go on" },
  { name: "learning rate", description: "Which schedule, at which rate" },
  { name: "experiments", description: "Run requests compared over common seeds" },
  { name: "estimates", description: "What it would cost" },
  { name: "schedules", description: "All schedule types; their curves without training" },
  { name: "datasets", description: "Word lists to train on" },
  { name: "model", description: "What has been trained: samples, weights, checkpoints" },
  { name: "keys", description: "Who may ask, where KEYS is on" },
  { name: "health", description: "For whoever keeps the service running" },
];

const NO_QUERY = Type.Object({}, strict);

/** The whole HTTP application; never listens. `deps` stay the caller's to close, after the app. */
export async function buildApp(deps: ApiDeps, log: FastifyBaseLogger): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: log,
    bodyLimit: LIMITS.bodyBytes,
    requestTimeout: LIMITS.requestMs,
    forceCloseConnections: "idle",
    genReqId: traceIdOf,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "traceId" }),
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      sendProblem(error, request, reply);
    },
  });
  // Before all routes and hooks, which it wraps.
  if (deps.tracing !== undefined) await app.register(deps.tracing);
  // Before all hooks that refuse: it ends the socket of an upgrade that was refused.
  await app.register(websocket, {
    options: {
      maxPayload: LIMITS.messageBytes,
      perMessageDeflate: false,
      closeTimeout: 15_000,
      handleProtocols: chooseProtocol,
    } as never,
    // By default it closes every socket without a word, before the routes can tell their readers where to go on.
    preClose(done) {
      this.websocketServer.close();
      done();
    },
    errorHandler: (error, socket, request) => {
      request.log.error({ err: error }, "socket failed");
      socket.terminate();
    },
  });
  app.removeContentTypeParser(["text/plain", "application/json"]);
  takeJson(app);
  app.setErrorHandler(sendProblem);
  const { corsOrigins = [] } = deps;
  refuseStrangers(app, deps.access.hosts, corsOrigins);
  refuseUnknownRoutes(app);
  if (deps.access.keys) await requireKeys(app, deps.apiKeys);
  giveOwn(app, deps);
  if (deps.access.keys) keepAudit(app, deps.audit);
  limitSockets(app, deps.quotas);
  await limitRates(app, deps.rateLimit);
  app.setValidatorCompiler(createValidatorCompiler(SHARED));
  // Responses are what the types say; the tests hold them against their schemas.
  app.setSerializerCompiler(() => JSON.stringify);
  for (const schema of SHARED) app.addSchema(schema);
  app.addHook("onResponse", async (request, reply) => {
    request.log[deps.accessLog ? "info" : "debug"](
      { method: request.method, url: request.url, status: reply.statusCode, ms: reply.elapsedTime, ip: request.ip },
      "answered",
    );
  });

  addEtags(app);
  // What is small is not worth a stream of zlib's: the answer to a create stays as it is. Bodies are taken as they are sent.
  await app.register(compress, {
    encodings: ["gzip"],
    threshold: 8 * 1024,
    syncThreshold: 0,
    // Four times as fast as zlib's usual level, for an eighth more bytes: columns of numbers hold few repetitions.
    zlibOptions: { level: 1 },
    globalDecompression: false,
  });
  if (corsOrigins.length > 0) {
    await app.register(cors, {
      origin: corsOrigins.includes("*") ? "*" : [...corsOrigins],
      methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
      exposedHeaders: ["etag", "location", "retry-after", "content-disposition"],
      maxAge: 600,
    });
  }
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Anneal",
        version: VERSION,
        description: "Training-as-a-service for learning-rate work.",
        license: { name: LICENSE, identifier: LICENSE },
        contact: { name: "The Anneal project" },
      },
      servers: [{ url: "/", description: "Where this document comes from" }],
      tags: TAGS,
    } as never,
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) => (json.$id as string | undefined) ?? `schema-${i}`,
    },
    transformObject: (made) =>
      ("openapiObject" in made ? toOpenApi31(made.openapiObject as never) : made.swaggerObject) as never,
  });
  await app.register(referenceRoutes);
  // A mistyped parameter is named on routes that have none, too.
  app.addHook("onRoute", (route) => {
    if (route.url.startsWith("/v1/")) route.schema = { querystring: NO_QUERY, ...route.schema };
  });
  measureRequests(app, deps.registry);
  await app.register(healthRoutes, deps);
  await app.register(prometheusRoutes, deps);
  // An answer that is under way may be taken to its end, but its connection is kept no longer: it would be for 72 s.
  let closing = false;
  app.addHook("preClose", async () => {
    closing = true;
    setTimeout(() => app.server.closeAllConnections(), FAREWELL_MS).unref();
  });
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (closing) reply.header("connection", "close");
    done();
  });
  const plotThread = new PlotThread();
  app.addHook("onClose", () => plotThread.close());
  const v1 = { ...deps, plotThread, prefix: "/v1" };
  for (const routes of [
    runListEventRoutes,
    runRoutes,
    metricsRoutes,
    curveRoutes,
    modelRoutes,
    archiveRoutes,
    suggestionRoutes,
    searchRoutes,
    experimentRoutes,
    estimateRoutes,
    datasetRoutes,
    workerRoutes,
    webhookRoutes,
    keyRoutes,
    auditRoute,
  ]) {
    await app.register(routes, v1);
  }
  for (const routes of [scheduleRoutes, plotRoutes, versionRoutes]) await app.register(routes, v1);
  const draw: StreamOptions["draw"] = async ({ runs, tail }, id, response, screen) => {
    const { LivePlot } = await import("./plots/live.js");
    return new LivePlot(runs, tail, await existing(runs, id), response, screen);
  };
  const streams = { prefix: "/v1", tail: deps.tail };
  await app.register(streamRoutes, { ...streams, path: "/runs", kind: "run", draw });
  await app.register(streamRoutes, { ...streams, path: "/searches", kind: "search" });
  await app.register(streamRoutes, { ...streams, path: "/experiments", kind: "experiment" });
  await app.register(streamManyRoutes, streams);
  await app.register(webRoutes);
  return app;
}
