import type { WebSocket } from "ws";
import type { Thinning } from "../spec/stream.js";
import type { Cursor, Sink } from "../store/tail.js";
import { FrozenWatch } from "./frozen-watch.js";
import type { Message } from "./messages.js";
import { Reading } from "./reading.js";
import { sendMessage } from "./socket-protocol.js";

/** Bytes that may wait in a connection before its reader counts as lagging. */
export const HIGH_WATER = 256 * 1024;
/** How long a reader has to take what is left when the server goes away. */
export const RESTART_MS = 3000;
export const HEARTBEAT_MS = 10_000;

/** Close codes of ours; the README has the table. */
export const CLOSE = { end: 1000, policy: 1008, restart: 1012, idle: 4000, frozen: 4008 } as const;

/** A connection that messages are written to. */
export interface Transport {
  /** `nextStep`: the step to resume from for a reader who has this message. */
  write(message: Message, nextStep: number): void;
  bufferedBytes(): number;
  finish(code: number, reason: string): void;
  kill(): void;
}

/** One reader of one log over one connection of its own. */
export class Subscriber {
  readonly #transport: Transport;
  readonly #reading: Reading;
  readonly #watch: FrozenWatch;

  constructor(transport: Transport, from: number, thinning: Thinning) {
    this.#transport = transport;
    this.#reading = new Reading(
      {
        hasRoom: () => transport.bufferedBytes() < HIGH_WATER,
        write: (message, nextStep) => transport.write(message, nextStep),
        over: (reason) => this.#finish(CLOSE.end, reason),
      },
      from,
      thinning,
    );
    this.#watch = new FrozenWatch(
      () => transport.bufferedBytes(),
      () => {
        this.#finish(CLOSE.frozen, this.#whereToResume());
        transport.kill();
      },
    );
  }

  /** Begins; `follow` gives the cursor for a sink. */
  start(follow: (sink: Sink) => Cursor): void {
    this.#reading.attach(follow(this.#reading));
  }

  drained(): void {
    this.#watch.tookSome();
    this.#reading.resume();
  }

  /** The server goes away: tells the reader where to go on. */
  restart(): void {
    this.#finish(CLOSE.restart, this.#whereToResume());
    // A reader that takes nothing must not hold up the shutdown.
    setTimeout(() => this.#transport.kill(), RESTART_MS).unref();
  }

  close(): void {
    this.#watch.stop();
    this.#reading.close();
  }

  #finish(code: number, reason: string): void {
    this.close();
    this.#transport.finish(code, reason);
  }

  #whereToResume(): string {
    return JSON.stringify({ resumeFrom: this.#reading.nextStep });
  }
}

export function webSocketTransport(socket: WebSocket, onDrain: () => void): Transport {
  return {
    write: (message) => sendMessage(socket, message, null, onDrain),
    bufferedBytes: () => socket.bufferedAmount,
    finish: (code, reason) => socket.close(code, reason),
    kill: () => socket.terminate(),
  };
}

/** Ends connections whose peer has vanished without a word. */
export function keepAlive(socket: WebSocket): void {
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
