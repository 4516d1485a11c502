import "@fastify/websocket";
import type { ServerResponse } from "node:http";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import type { WebSocket } from "ws";
import { ProblemError } from "../../schemas/problem.js";
import type { RecordKind } from "../../schemas/record-kinds.js";
import { FROM, THINNING, type Thinning } from "../../schemas/stream.js";
import { strict } from "../../schemas/strict.js";
import type { Tail } from "../../store/contract.js";
import type { OwnDeps } from "../deps.js";
import { eventsResponse, problemResponse } from "../http/responses.js";
import { idParams } from "../ids.js";
import type { LivePlot, Screen } from "../plots/live.js";
import { LIVE_QUERY, type LiveQuery, liveSize } from "../plots/query.js";
import type { Connection } from "./connection.js";
import { EventStreamConnection } from "./event-stream.js";
import { createBoundsOf, startOf } from "./log-bounds.js";
import { SocketConnection } from "./socket-connection.js";
import { refuseUnknownProtocols } from "./socket-protocol.js";
import { followOne, type Stream } from "./subscriptions.js";

const from = { ...FROM, default: 0 };
export const Queries = {
  run: Type.Object({ from, ...THINNING }, strict),
  // What these tell of is few and far between.
  search: Type.Object({ from }, strict),
  experiment: Type.Object({ from }, strict),
} as const;
const NAMES = { run: "Run", search: "Search", experiment: "Experiment" } as const;
interface StreamQuery extends Thinning {
  readonly from: number;
}
/** Where a reader begins: in the log, as it was asked, and whether that is where it left off. */
interface Beginning {
  readonly start: number;
  readonly from: number;
  readonly resumes: boolean;
}

const LiveFromQuery = Type.Object({ ...Queries.run.properties, ...LIVE_QUERY }, strict);

/** Live plots at once: each averages every step on this thread. */
const MOST_DRAWN = 8;

/** What is followed: runs by step, searches and experiments by training done. */
export interface StreamOptions {
  readonly tail: Tail;
  readonly path: "/runs" | "/searches" | "/experiments";
  readonly kind: RecordKind;
  /** Draws an id's events on a terminal; undefined: they cannot be drawn. */
  readonly draw?: (own: OwnDeps, id: string, response: ServerResponse, screen: Screen) => Promise<LivePlot>;
}

const FRAMES =
  "Each frame is a StreamMessage: every step from `from` on exactly once, stored and then live; closes with 1000 after `end`. 1012 " +
  '(server restart) and 4008 (reader frozen) carry {"resumeFrom": step} as reason. With Sec-WebSocket-Protocol: anneal.v1.binary, ' +
  "steps come as binary frames (docs/asyncapi.yaml); all else, envelopes too, stays text.";

export const streamRoutes: FastifyPluginAsyncTypebox<StreamOptions> = async (app, options) => {
  const { tail, path, kind, draw } = options;
  const params = idParams(kind);
  const querystring = Queries[kind];
  const streams = new Set<Pick<Stream, "restart">>();
  app.addHook("preClose", async () => {
    for (const stream of streams) stream.restart();
  });

  const open = (connection: Connection, id: string, { every, maxHz }: Thinning, beginning: Beginning): Stream => {
    const stream = followOne(connection, tail, id, { ...beginning, thinning: { every, maxHz } });
    streams.add(stream);
    return stream;
  };
  const closed = (stream: Stream) => {
    streams.delete(stream);
    stream.close();
  };

  let drawn = 0;
  const drawLive = async (own: OwnDeps, id: string, reply: FastifyReply, screen: Screen) => {
    const response = reply.raw;
    if (drawn >= MOST_DRAWN) throw new ProblemError("too-many-requests", "Too many live plots are being drawn");
    const plot = await draw!(own, id, response, screen);
    reply.hijack();
    if (!plot.start()) return;
    drawn++;
    streams.add(plot);
    response.on("close", () => {
      drawn--;
      streams.delete(plot);
    });
  };

  app.route({
    method: "GET",
    url: `${path}/:id/stream`,
    exposeHeadRoute: false,
    config: { stream: true },
    schema: {
      operationId: `stream${NAMES[kind]}`,
      summary: "Follow it over WebSocket",
      description: kind === "run" ? FRAMES : "As streamRun, of its trainings; every frame is text.",
      tags: ["streams"],
      params,
      querystring,
      response: {
        101: { ...Type.Ref("StreamMessage"), description: "Upgraded; each frame is one of these" },
        400: problemResponse("A parameter is wrong, or it is no WebSocket"),
        404: problemResponse("No such id"),
      },
    },
    preHandler: async (request) => {
      if (request.ws) refuseUnknownProtocols(request.headers["sec-websocket-protocol"]);
      request.streamStart = await startOf(createBoundsOf(request.own), request.params.id, request.query.from);
    },
    handler: () => {
      throw new ProblemError("invalid-request", "This is a WebSocket: open it with ws://, or use /events with curl -N");
    },
    wsHandler: (socket: WebSocket, request) => {
      const { id } = request.params as { id: string };
      // Not the request itself: it would stay in memory for as long as the socket is open.
      const { log } = request;
      const query = request.query as StreamQuery;
      // Its `from` may be what it has had, or what it waits for: who has had it and is told nothing misses nothing.
      const beginning = { start: request.streamStart, from: query.from, resumes: false };
      const stream = open(new SocketConnection(socket), id, query, beginning);
      socket.on("close", () => closed(stream));
      socket.on("error", (error) => log.debug({ err: error, id }, "socket"));
    },
  });

  app.get(
    `${path}/:id/events`,
    {
      exposeHeadRoute: false,
      config: { stream: true },
      schema: {
        operationId: `watch${NAMES[kind]}`,
        summary: "Follow it as Server-Sent Events",
        description:
          "The messages of /stream, one an event, whose id is the step to go on from: Last-Event-ID resumes." +
          (draw === undefined ? "" : " With format=ansi a plot of the loss, redrawn live in the terminal."),
        tags: ["streams"],
        params,
        querystring: draw === undefined ? querystring : LiveFromQuery,
        response: {
          200: eventsResponse(
            "Events, each a StreamMessage",
            Type.Ref("StreamMessage"),
            draw === undefined ? [] : ["text/plain"],
          ),
          400: problemResponse("A parameter is wrong"),
          404: problemResponse("No such id"),
        },
      },
    },
    async (request, reply) => {
      const screen = liveSize(request.query as StreamQuery & LiveQuery);
      if (screen !== null) return drawLive(request.own, request.params.id, reply, screen);
      const lastId = Number(request.headers["last-event-id"]);
      const resumes = Number.isSafeInteger(lastId) && lastId > 0;
      const from = resumes ? lastId : request.query.from;
      const start = await startOf(createBoundsOf(request.own), request.params.id, from);
      reply.hijack();
      // Gone while we looked: its "close" has been, and nothing would ever end what is begun now.
      if (request.raw.socket.destroyed) return;
      const response = reply.raw;
      const query = request.query as StreamQuery;
      const beginning = { start, from, resumes };
      const stream = open(new EventStreamConnection(response), request.params.id, query, beginning);
      response.on("close", () => closed(stream));
    },
  );
};

declare module "fastify" {
  interface FastifyRequest {
    /** Where the reader of a stream begins in the log: `from`, or the committed steps where that is less. */
    streamStart: number;
  }
}
