import type { WebSocket } from "ws";
import type { Cursor, Sink } from "../store/tail.js";
import { deletedMessage, type Message, messagesOf } from "./messages.js";

/** Bytes that may wait in a connection before its reader counts as lagging. */
const HIGH_WATER = 256 * 1024;
/** A reader that takes nothing for this long is cut off; it can resume from its last step. */
const FROZEN_MS = 12_000;
/** How long a reader has to take what is left when the server goes away. */
const RESTART_MS = 3000;
export const HEARTBEAT_MS = 10_000;

/** Close codes of ours; 1000: the run is over, 1012: this server restarts. */
export const CLOSE = { end: 1000, restart: 1012, frozen: 4008 } as const;

/** A connection that messages are written to. */
export interface Transport {
  write(message: Message): void;
  bufferedBytes(): number;
  finish(code: number, reason: string): void;
  kill(): void;
}

/** One reader of one log over one connection, and the timers that watch it. */
export class Subscriber implements Sink {
  readonly #transport: Transport;
  readonly #from: number;
  #cursor: Cursor | null = null;
  #nextStep: number;
  #lastBuffered = 0;
  #tookSome = false;
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
      if (message.type === "end") this.#finish(CLOSE.end, "it is over");
    }
  }

  gone(): void {
    this.#transport.write(deletedMessage(this.#nextStep));
    this.#finish(CLOSE.end, "it was deleted");
  }

  drained(): void {
    this.#tookSome = true;
    this.#cursor?.resume();
  }

  /** The server goes away: tells the reader where to go on. */
  restart(): void {
    this.#finish(CLOSE.restart, JSON.stringify({ resumeFrom: this.#nextStep }));
    // A reader that takes nothing must not hold up the shutdown.
    setTimeout(() => this.#transport.kill(), RESTART_MS).unref();
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
    // Not whether the buffer has changed: a ping makes it grow.
    const stuck = buffered > 0 && buffered >= this.#lastBuffered && !this.#tookSome;
    this.#lastBuffered = buffered;
    this.#tookSome = false;
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

export function webSocketTransport(socket: WebSocket, onDrain: () => void): Transport {
  return {
    write: ({ bytes }) => socket.send(bytes, { binary: false }, onDrain),
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
