import "@fastify/websocket";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { ValidateFunction } from "ajv";
import { Type } from "typebox";
import type { WebSocket } from "ws";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import { StreamCommandSchema } from "../../schemas/stream-many.js";
import { strict } from "../../schemas/strict.js";
import type { Tail } from "../../store/contract.js";
import { problemResponse } from "../http/responses.js";
import { CommandSocket } from "./command-socket.js";
import { createBoundsOf } from "./log-bounds.js";
import { refuseUnknownProtocols } from "./socket-protocol.js";
import { commandParser } from "./stream-commands.js";

export interface StreamManyOptions {
  readonly tail: Tail;
  /** How long a socket may follow nothing. */
  readonly idleMs?: number;
}

export const MANY_DESCRIPTION = `Text frames. The client sends StreamCommands; for each run it gets \`subscribed\`, then the same StreamMessages as on /v1/runs/{id}/stream, every one with \`run\` (in a search's progress the child run is \`child\`), until \`end\` or \`unsubscribed\`. What is wrong with a command is said by an \`error\`. At most ${LIMITS.subscriptionsPerSocket} runs at once, ${LIMITS.messagesPerSecond} commands a second, ${LIMITS.messageBytes} bytes a command. The socket's room is shared in turns. In the subprotocol anneal.v1.binary, a binary frame's channel is the one of \`subscribed\`. Close codes: 1008 too many commands a second, or ${LIMITS.badMessagesPerSocket} that are not valid; 1012 the server goes away, after a \`restart\` with the steps to go on from; 4000 nothing followed for a minute; 4008 nothing taken for 9 s (go on from the last step you have).`;

/** Several runs, searches and experiments over one WebSocket. */
export const streamManyRoutes: FastifyPluginAsyncTypebox<StreamManyOptions> = async (app, options) => {
  const { tail, idleMs = 60_000 } = options;
  const parse = commandParser(
    app.validatorCompiler!({
      schema: StreamCommandSchema,
      httpPart: "body",
      method: "GET",
      url: "/stream",
    }) as ValidateFunction,
  );
  const streams = new Set<CommandSocket>();
  app.addHook("preClose", async () => {
    for (const stream of streams) stream.restart();
  });

  app.route({
    method: "GET",
    url: "/stream",
    exposeHeadRoute: false,
    config: { stream: true },
    schema: {
      operationId: "streamMany",
      summary: "Follow several runs, searches and experiments over one WebSocket",
      description:
        "The client sends StreamCommands; for each run it gets `subscribed`, then StreamMessages with `run`, until `end` or `unsubscribed`. The rest is in docs/asyncapi.yaml.",
      tags: ["streams"],
      // What is followed, and how, is said by commands.
      querystring: Type.Object({}, strict),
      response: {
        101: {
          ...Type.Union([Type.Ref("StreamReply"), Type.Ref("StreamMessage"), Type.Ref("StreamCommand")]),
          description: "Upgraded; the server sends the first two, the client the third",
        },
        400: problemResponse("No upgrade to a WebSocket was asked for"),
      },
    },
    preHandler: async (request) => {
      if (request.ws) refuseUnknownProtocols(request.headers["sec-websocket-protocol"]);
    },
    handler: () => {
      throw new ProblemError("invalid-request", "This is a WebSocket: open it with ws://");
    },
    wsHandler: (socket: WebSocket, request) => {
      const { log } = request;
      const boundsOf = createBoundsOf(request.own);
      const stream = new CommandSocket(socket, { tail, boundsOf, parse, requestId: request.id, idleMs });
      streams.add(stream);
      socket.on("close", () => {
        streams.delete(stream);
        stream.close();
      });
      socket.on("error", (error) => log.debug({ err: error }, "socket"));
    },
  });
};
