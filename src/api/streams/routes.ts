import "@fastify/websocket";
import type { ServerResponse } from "node:http";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import type { WebSocket } from "ws";
import { ProblemError } from "../../schemas/problem.js";
import { FROM, THINNING, type Thinning } from "../../schemas/stream.js";
import { strict } from "../../schemas/strict.js";
import type { Tail } from "../../store/tail.js";
import { idParams, notFound, problem } from "../http/responses.js";
import type { LivePlot, Screen } from "../plots/live.js";
import { LIVE_QUERY, type LiveQuery, liveSize } from "../plots/query.js";
import { eventStreamTransport } from "./event-stream.js";
import { refuseUnknownProtocols } from "./socket-protocol.js";
import { type ExtentOf, startOf } from "./stream-start.js";
import { Subscriber, type Transport, webSocketTransport } from "./subscriber.js";

const from = { ...FROM, default: 0 };
const Queries = {
  run: Type.Object({ from, ...THINNING }, strict),
  // What a search tells of is few and far between.
  search: Type.Object({ from }, strict),
} as const;
interface StreamQuery extends Thinning {
  readonly from: number;
}

const LiveFromQuery = Type.Object({ ...Queries.run.properties, ...LIVE_QUERY }, strict);

/** Live plots at once: each averages every step on this thread. */
const MOST_DRAWN = 8;

/** What is followed: runs by step, searches by task done. */
export interface StreamOptions {
  readonly tail: Tail;
  readonly path: "/runs" | "/lr-searches";
  readonly idPrefix: "run" | "search";
  readonly extentOf: ExtentOf;
  /** Draws an id's events on a terminal; undefined: they cannot be drawn. */
  readonly draw?: (id: string, response: ServerResponse, screen: Screen) => Promise<LivePlot | null>;
}

export const streamRoutes: FastifyPluginAsyncTypebox<StreamOptions> = async (app, options) => {
  const { tail, path, idPrefix, extentOf, draw } = options;
  const params = idParams(idPrefix);
  const querystring = Queries[idPrefix];
  const subscribers = new Set<{ restart(): void }>();
  app.addHook("preClose", async () => {
    for (const subscriber of subscribers) subscriber.restart();
  });

  const subscribe = (id: string, query: StreamQuery, start: number, transport: Transport): Subscriber => {
    const subscriber = new Subscriber(transport, query.from, query);
    subscribers.add(subscriber);
    subscriber.start((sink) => tail.follow(id, start, sink));
    return subscriber;
  };

  let drawn = 0;
  const drawLive = async (id: string, reply: FastifyReply, screen: Screen) => {
    const response = reply.raw;
    if (drawn >= MOST_DRAWN) throw new ProblemError("too-many-requests", "Too many live plots are being drawn");
    const plot = await draw!(id, response, screen);
    if (plot === null) throw notFound(id);
    reply.hijack();
    if (!plot.start()) return;
    drawn++;
    subscribers.add(plot);
    response.on("close", () => {
      drawn--;
      subscribers.delete(plot);
    });
  };

  app.route({
    method: "GET",
    url: `${path}/:id/stream`,
    exposeHeadRoute: false,
    schema: {
      summary: "Follow it over WebSocket",
      description:
        'Text frames, each a StreamMessage: every step from `from` on exactly once, stored and then live; closes with 1000 after `end`. 1012 (server restart) and 4008 (reader frozen) carry {"resumeFrom": step} as reason. With Sec-WebSocket-Protocol: anneal.v1.binary, steps come as binary frames, little-endian: u8 1, 3 bytes 0, u32 channel (0), u32 from, u32 count, count x f64 lr, count x f32 loss; all else, envelopes too, stays text. anneal.v1.json, or no protocol: text only.',
      tags: ["streams"],
      params,
      querystring,
      response: {
        101: { ...Type.Ref("StreamMessage"), description: "Upgraded; each frame is one of these" },
        404: problem("No such id"),
      },
    },
    preHandler: async (request) => {
      if (request.ws) refuseUnknownProtocols(request.headers["sec-websocket-protocol"]);
      request.streamStart = await startOf(extentOf, request.params.id, request.query.from);
    },
    handler: () => {
      throw new ProblemError("invalid-request", "This is a WebSocket: open it with ws://, or use /events with curl -N");
    },
    wsHandler: (socket: WebSocket, request) => {
      const { id } = request.params as { id: string };
      // Not the request itself: it would stay in memory for as long as the socket is open.
      const { log } = request;
      const transport = webSocketTransport(socket, () => subscriber);
      const subscriber = subscribe(id, request.query as StreamQuery, request.streamStart, transport);
      socket.on("close", () => {
        subscribers.delete(subscriber);
        subscriber.close();
      });
      socket.on("error", (error) => log.debug({ err: error, id }, "socket"));
    },
  });

  app.get(
    `${path}/:id/events`,
    {
      exposeHeadRoute: false,
      schema: {
        summary: "Follow it as Server-Sent Events",
        description:
          "The same messages as /stream, one an event; the event id is the step to go on from, so Last-Event-ID resumes." +
          (draw === undefined
            ? ""
            : " With format=ansi a plot of the loss, redrawn live in the terminal until the run is over."),
        tags: ["streams"],
        params,
        querystring: draw === undefined ? querystring : LiveFromQuery,
      },
    },
    async (request, reply) => {
      const screen = liveSize(request.query as StreamQuery & LiveQuery);
      if (screen !== null) return drawLive(request.params.id, reply, screen);
      const lastId = Number(request.headers["last-event-id"]);
      const query: StreamQuery = { ...request.query };
      const from = Number.isSafeInteger(lastId) && lastId > 0 ? lastId : query.from;
      const start = await startOf(extentOf, request.params.id, from);
      reply.hijack();
      // Gone while we looked: its "close" has been, and nothing would ever end what is begun now.
      if (request.raw.socket.destroyed) return;
      const response = reply.raw;
      const transport = eventStreamTransport(response, () => subscriber);
      const subscriber = subscribe(request.params.id, { ...query, from }, start, transport);
      response.on("close", () => {
        subscribers.delete(subscriber);
        subscriber.close();
      });
    },
  );
};

declare module "fastify" {
  interface FastifyRequest {
    /** Where the reader of a stream begins in the log: `from`, or the committed steps where that is less. */
    streamStart: number;
  }
}
