import type { WebSocket } from "ws";
import { ProblemError } from "../../schemas/problem.js";
import { SUBPROTOCOLS } from "../../schemas/stream.js";
import { onChannel } from "./binary.js";
import type { Channel } from "./connection.js";
import type { Message } from "./messages.js";

const KNOWN: readonly string[] = Object.values(SUBPROTOCOLS);

/** The first protocol that a client offers and we speak; false: none. */
export function chooseProtocol(offered: Iterable<string>): string | false {
  for (const protocol of offered) if (KNOWN.includes(protocol)) return protocol;
  return false;
}

/**
 * A client that offers protocols of which we speak none is refused before the upgrade: an answer without a protocol, which
 * RFC 6455 allows as well, makes browsers fail without a reason.
 */
export function refuseUnknownProtocols(header: string | undefined): void {
  if (header === undefined || chooseProtocol(header.split(",").map((name) => name.trim())) !== false) return;
  const expected = `${KNOWN.join(" or ")}, or no such header`;
  const errors = [{ pointer: "/sec-websocket-protocol", expected }];
  throw new ProblemError("invalid-request", `Sec-WebSocket-Protocol: expected ${expected}`, errors);
}

/** Writes a message in the socket's protocol; `of`: on a socket that carries several runs. Returns how many bytes it has. */
export function sendMessage(socket: WebSocket, message: Message, of: Channel | null, onWritten: () => void): number {
  const send = (bytes: Buffer, isBinary: boolean) => {
    socket.send(bytes, { binary: isBinary }, onWritten);
    return bytes.length;
  };
  const sendText = (text: Message) => send(of === null ? text.bytes : text.taggedBytes(of.run), false);
  const binary = socket.protocol === SUBPROTOCOLS.binary ? message.binary : null;
  if (binary === null) return sendText(message);
  const before = binary.evals === null ? 0 : sendText(binary.evals);
  return before + send(onChannel(binary.frame, of?.channel ?? 0), true);
}
