import type { WebSocket } from "ws";
import type { Thinning } from "../../schemas/stream.js";
import type { Cursor, Sink } from "../../store/tail.js";
import type { Message } from "./messages.js";
import { Reading } from "./reading.js";
import { SocketFlow } from "./socket-flow.js";

/** How long a reader that is told to go has to take what is left, and the reason with it. */
export const FAREWELL_MS = 3000;

/** Close codes of ours; the README has the table. */
export const CLOSE = { end: 1000, policy: 1008, restart: 1012, idle: 4000, frozen: 4008 } as const;

/** A connection that messages are written to; it tells its subscriber when it has `drained` or is `frozen`. */
export interface Transport {
  /** `nextStep`: the step to resume from for a reader who has this message. */
  write(message: Message, nextStep: number): void;
  hasRoom(): boolean;
  finish(code: number, reason: string): void;
  kill(): void;
  /** Nothing more is written. */
  stop(): void;
}

/** One reader of one log over one connection of its own. */
export class Subscriber {
  readonly #transport: Transport;
  readonly #reading: Reading;

  constructor(transport: Transport, from: number, thinning: Thinning) {
    this.#transport = transport;
    this.#reading = new Reading(
      {
        hasRoom: () => transport.hasRoom(),
        write: (message, nextStep) => transport.write(message, nextStep),
        over: (reason) => this.#finish(CLOSE.end, reason),
      },
      from,
      thinning,
    );
  }

  /** Begins; `follow` gives the cursor for a sink. */
  start(follow: (sink: Sink) => Cursor): void {
    this.#reading.attach(follow(this.#reading));
  }

  drained(): void {
    this.#reading.resume();
  }

  frozen(): void {
    this.#farewell(CLOSE.frozen);
  }

  /** The server goes away: tells the reader where to go on. */
  restart(): void {
    this.#farewell(CLOSE.restart);
  }

  close(): void {
    this.#transport.stop();
    this.#reading.close();
  }

  #farewell(code: number): void {
    this.#finish(code, JSON.stringify({ resumeFrom: this.#reading.nextStep }));
    // A reader that takes nothing must hold up neither memory nor a shutdown.
    setTimeout(() => this.#transport.kill(), FAREWELL_MS).unref();
  }

  #finish(code: number, reason: string): void {
    this.close();
    this.#transport.finish(code, reason);
  }
}

export function webSocketTransport(socket: WebSocket, subscriber: () => Subscriber): Transport {
  const flow = new SocketFlow(socket, {
    onRoom: () => subscriber().drained(),
    onFrozen: () => subscriber().frozen(),
  });
  return {
    write: (message) => flow.send(message),
    hasRoom: () => flow.hasRoom,
    finish: (code, reason) => socket.close(code, reason),
    kill: () => socket.terminate(),
    stop: () => flow.stop(),
  };
}
