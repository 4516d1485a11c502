import "@fastify/websocket";
import type { ServerResponse } from "node:http";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import type { WebSocket } from "ws";
import { LIMITS } from "../../spec/limits.js";
import { ProblemError } from "../../spec/problem.js";
import type { Tail } from "../../store/tail.js";
import { idParams, notFound, problem } from "../common.js";
import type { LivePlot, Screen } from "../plots/live.js";
import { LiveQuery, liveSize } from "../plots/query.js";
import { HEARTBEAT_MS, keepAlive, Subscriber, type Transport, webSocketTransport } from "../subscriber.js";

const FromQuery = Type.Object(
  {
    from: Type.Integer({
      minimum: 0,
      maximum: LIMITS.steps,
      default: 0,
      description: "The first step wanted; steps stored by then come first",
    }),
  },
  { additionalProperties: false },
);

const LiveFromQuery = Type.Object({ ...FromQuery.properties, ...LiveQuery }, { additionalProperties: false });

/** What is followed: runs by step, searches by task done. */
export interface StreamOptions {
  readonly tail: Tail;
  readonly path: "/runs" | "/lr-searches";
  readonly idPrefix: "run" | "search";
  /** How much of a log is stored, and the most there will be; null: there is no such id. */
  readonly extent: (id: string) => Promise<{ readonly committed: number; readonly total: number } | null>;
  /** Draws an id's events on a terminal; undefined: they cannot be drawn. */
  readonly draw?: (id: string, response: ServerResponse, screen: Screen) => Promise<LivePlot | null>;
}

export const streamRoutes: FastifyPluginAsyncTypebox<StreamOptions> = async (
  app,
  { tail, path, idPrefix, extent, draw },
) => {
  const params = idParams(idPrefix);
  const subscribers = new Set<{ restart(): void }>();
  const EventsQuery = draw === undefined ? FromQuery : LiveFromQuery;
  app.addHook("preClose", async () => {
    for (const subscriber of subscribers) subscriber.restart();
  });

  /** Before anything is upgraded or hijacked, so that these are plain HTTP errors. */
  const startOf = async (id: string, from: number): Promise<number> => {
    const found = await extent(id);
    if (found === null) throw notFound(id);
    if (from > found.total) {
      const expected = `at most ${found.total}`;
      throw new ProblemError("invalid-request", `from: expected ${expected}`, [{ pointer: "/from", expected }]);
    }
    return Math.min(from, found.committed);
  };

  const subscribe = (id: string, from: number, start: number, transport: Transport): Subscriber => {
    const subscriber = new Subscriber(transport, from);
    subscribers.add(subscriber);
    subscriber.attach(tail.follow(id, start, subscriber));
    return subscriber;
  };

  const drawLive = async (id: string, reply: FastifyReply, screen: Screen) => {
    const response = reply.raw;
    const plot = await draw!(id, response, screen);
    if (plot === null) throw notFound(id);
    reply.hijack();
    if (!plot.start()) return;
    subscribers.add(plot);
    response.on("close", () => subscribers.delete(plot));
  };

  app.route({
    method: "GET",
    url: `${path}/:id/stream`,
    exposeHeadRoute: false,
    schema: {
      summary: "Follow it over WebSocket",
      description:
        'Text frames, each a StreamMessage: every step from `from` on exactly once, stored and then live; closes with 1000 after `end`. 1012 (server restart) and 4008 (reader frozen) carry {"resumeFrom": step} as reason.',
      tags: ["streams"],
      params,
      querystring: FromQuery,
      response: {
        101: { ...Type.Ref("StreamMessage"), description: "Upgraded; each frame is one of these" },
        404: problem("No such id"),
      },
    },
    preHandler: async (request) => {
      request.streamStart = await startOf(request.params.id, request.query.from);
    },
    handler: () => {
      throw new ProblemError("invalid-request", "This is a WebSocket: open it with ws://, or use /events with curl -N");
    },
    wsHandler: (socket: WebSocket, request) => {
      const { id } = request.params as { id: string };
      const { from } = request.query as { from: number };
      const transport = webSocketTransport(socket, () => subscriber.drained());
      const subscriber = subscribe(id, from, request.streamStart, transport);
      socket.on("close", () => {
        subscribers.delete(subscriber);
        subscriber.close();
      });
      socket.on("error", (error) => request.log.debug({ err: error, id }, "socket"));
      keepAlive(socket);
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
        querystring: EventsQuery,
      },
    },
    async (request, reply) => {
      const screen = liveSize(request.query);
      if (screen !== null) return drawLive(request.params.id, reply, screen);
      const lastId = Number(request.headers["last-event-id"]);
      const from = Number.isSafeInteger(lastId) && lastId > 0 ? lastId : request.query.from;
      const start = await startOf(request.params.id, from);
      reply.hijack();
      // Gone while we looked: its "close" has been, and nothing would ever end what is begun now.
      if (request.raw.socket.destroyed) return;
      const response = reply.raw;
      response.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      });
      response.write("retry: 1000\n\n");
      const heartbeat = setInterval(() => response.write(":\n\n"), HEARTBEAT_MS);
      const subscriber = subscribe(request.params.id, from, start, {
        write: ({ type, json, nextStep }) =>
          response.write(`id: ${nextStep}\nevent: ${type}\ndata: ${json}\n\n`, (error) => {
            if (error == null) subscriber.drained();
          }),
        bufferedBytes: () => response.writableLength,
        finish: () => {
          clearInterval(heartbeat);
          response.end();
        },
        kill: () => response.destroy(),
      });
      response.on("close", () => {
        clearInterval(heartbeat);
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
