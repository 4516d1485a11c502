import "@fastify/websocket";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import type { WebSocket } from "ws";
import { LIMITS } from "../../spec/limits.js";
import { ProblemError } from "../../spec/problem.js";
import type { Cursor, Sink } from "../../store/tail.js";
import type { ApiDeps } from "../deps.js";
import { deletedMessage, type Message, messagesOf } from "../messages.js";
import { notFound, problem, RunIdParams } from "./runs.js";

/** Bytes that may wait in a connection before its reader counts as lagging. */
const HIGH_WATER = 256 * 1024;
/** A reader that takes nothing for this long is cut off; it can resume from its last step. */
const FROZEN_MS = 12_000;
const HEARTBEAT_MS = 10_000;

/** Close codes of ours; 1000: the run is over, 1012: this server restarts. */
export const CLOSE = { end: 1000, restart: 1012, frozen: 4008 } as const;

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

interface Transport {
  write(message: Message): void;
  bufferedBytes(): number;
  finish(code: number, reason: string): void;
  kill(): void;
}

/** One reader of one run over one connection, and the timers that watch it. */
class Subscriber implements Sink {
  readonly #transport: Transport;
  readonly #from: number;
  #cursor: Cursor | null = null;
  #nextStep: number;
  #lastBuffered = 0;
  #stuckSince: number | null = null;
  readonly #watch: NodeJS.Timeout;

  constructor(transport: Transport, from: number) {
    this.#transport = transport;
    this.#from = from;
    this.#nextStep = from;
    this.#watch = setInterval(() => this.#checkFrozen(), 1000);
  }

  attach(cursor: Cursor): void {
    this.#cursor = cursor;
    cursor.resume();
  }

  writable(): boolean {
    return this.#transport.bufferedBytes() < HIGH_WATER;
  }

  send(entry: Parameters<Sink["send"]>[0]): void {
    for (const message of messagesOf(entry, this.#from)) {
      this.#nextStep = Math.max(this.#nextStep, message.nextStep);
      this.#transport.write(message);
      if (message.type === "end") this.#finish(CLOSE.end, "the run is over");
    }
  }

  gone(): void {
    this.#transport.write(deletedMessage(this.#nextStep));
    this.#finish(CLOSE.end, "the run was deleted");
  }

  drained(): void {
    this.#cursor?.resume();
  }

  /** The server goes away: tells the reader where to go on. */
  restart(): void {
    this.#finish(CLOSE.restart, JSON.stringify({ resumeFrom: this.#nextStep }));
  }

  #finish(code: number, reason: string): void {
    this.close();
    this.#transport.finish(code, reason);
  }

  close(): void {
    clearInterval(this.#watch);
    this.#cursor?.close();
  }

  #checkFrozen(): void {
    const buffered = this.#transport.bufferedBytes();
    const stuck = buffered > 0 && buffered === this.#lastBuffered;
    this.#lastBuffered = buffered;
    if (!stuck) {
      this.#stuckSince = null;
      return;
    }
    this.#stuckSince ??= Date.now();
    if (Date.now() - this.#stuckSince < FROZEN_MS) return;
    this.#finish(CLOSE.frozen, JSON.stringify({ resumeFrom: this.#nextStep }));
    this.#transport.kill();
  }
}

export const streamRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { runs, tail }) => {
  const subscribers = new Set<Subscriber>();
  app.addHook("preClose", async () => {
    for (const subscriber of subscribers) subscriber.restart();
  });

  /** Before anything is upgraded or hijacked, so that these are plain HTTP errors. */
  const checkRun = async (id: string, from: number): Promise<number> => {
    const record = await runs.get(id);
    if (record === null) throw notFound(id);
    if (from > record.spec.steps) {
      throw new ProblemError("invalid-request", `The run has ${record.spec.steps} steps`, [
        { pointer: "/from", expected: `at most ${record.spec.steps}` },
      ]);
    }
    return Math.min(from, record.committed);
  };

  const subscribe = (runId: string, from: number, start: number, transport: Transport): Subscriber => {
    const subscriber = new Subscriber(transport, from);
    subscribers.add(subscriber);
    subscriber.attach(tail.follow(runId, start, subscriber));
    return subscriber;
  };

  app.route({
    method: "GET",
    url: "/runs/:id/stream",
    schema: {
      summary: "Follow a run over WebSocket",
      description:
        'Text frames, each a StreamMessage: every step from `from` on exactly once, stored and then live; closes with 1000 after `end`. 1012 (server restart) and 4008 (reader frozen) carry {"resumeFrom": step} as reason.',
      tags: ["streams"],
      params: RunIdParams,
      querystring: FromQuery,
      response: {
        101: { ...Type.Ref("StreamMessage"), description: "Upgraded; each frame is one of these" },
        404: problem("No such run"),
      },
    },
    preHandler: async (request) => {
      request.streamStart = await checkRun(request.params.id, request.query.from);
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
      socket.on("error", (error) => request.log.debug({ err: error, runId: id }, "socket"));
      keepAlive(socket);
    },
  });

  app.get(
    "/runs/:id/events",
    {
      schema: {
        summary: "Follow a run as Server-Sent Events",
        description:
          "The same messages as /stream, one an event; the event id is the step to go on from, so Last-Event-ID resumes.",
        tags: ["streams"],
        params: RunIdParams,
        querystring: FromQuery,
      },
    },
    async (request, reply) => {
      const lastId = Number(request.headers["last-event-id"]);
      const from = Number.isSafeInteger(lastId) && lastId > 0 ? lastId : request.query.from;
      const start = await checkRun(request.params.id, from);
      reply.hijack();
      const response = reply.raw;
      response.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      });
      response.write("retry: 1000\n\n");
      const heartbeat = setInterval(() => response.write(":\n\n"), HEARTBEAT_MS);
      const subscriber = subscribe(request.params.id, from, start, {
        write: ({ type, json, nextStep }) => response.write(`id: ${nextStep}\nevent: ${type}\ndata: ${json}\n\n`),
        bufferedBytes: () => response.writableLength,
        finish: () => response.end(),
        kill: () => response.destroy(),
      });
      response.on("drain", () => subscriber.drained());
      response.on("close", () => {
        clearInterval(heartbeat);
        subscribers.delete(subscriber);
        subscriber.close();
      });
    },
  );
};

function webSocketTransport(socket: WebSocket, onDrain: () => void): Transport {
  return {
    write: ({ bytes }) => socket.send(bytes, { binary: false }, onDrain),
    bufferedBytes: () => socket.bufferedAmount,
    finish: (code, reason) => socket.close(code, reason),
    kill: () => socket.terminate(),
  };
}

/** Ends connections whose peer has vanished without a word. */
function keepAlive(socket: WebSocket): void {
  let alive = true;
  socket.on("pong", () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive && socket.bufferedAmount === 0) return socket.terminate();
    alive = false;
    socket.ping();
  }, HEARTBEAT_MS);
  socket.on("close", () => clearInterval(timer));
}

declare module "fastify" {
  interface FastifyRequest {
    /** Where the reader of a stream begins in the log: `from`, or the committed steps where that is less. */
    streamStart: number;
  }
}
