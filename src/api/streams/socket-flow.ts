import type { WebSocket } from "ws";
import { FROZEN_TICKS, HIGH_WATER, TICK_MS } from "./flow.js";
import type { Message } from "./messages.js";
import { type Channel, sendMessage } from "./socket-protocol.js";

/** Bytes after which the peer is asked how far it has come, and how far it may be behind: operating systems hold megabytes. */
const ASK_BYTES = 64 * 1024;
const WINDOW_BYTES = 512 * 1024;
/** A connection with nothing to say asks this often whether the peer is there. */
const HEARTBEAT_TICKS = 10;

export interface FlowListener {
  /** The peer has come further. */
  onRoom(): void;
  /** The peer has taken nothing for FROZEN_TICKS, or is gone without a word. */
  onFrozen(): void;
}

/**
 * What a socket's peer has taken. A ping travels behind the bytes that were sent before it, and every WebSocket client answers
 * it by itself, so its pong says how far the peer has read, whatever the buffers between hold.
 */
export class SocketFlow {
  readonly #socket: WebSocket;
  readonly #listener: FlowListener;
  readonly #timer: NodeJS.Timeout;
  /** Bytes sent, sent before the last ping, and sent before the last ping that was answered. */
  #sent = 0;
  #asked = 0;
  #taken = 0;
  /** Pings without an answer. */
  #open = 0;
  /** Ticks, not time: a server that was busy for seconds has not given its peers a chance to answer. */
  #ticksWithoutAnswer = 0;
  #ticksSinceAsked = 0;

  constructor(socket: WebSocket, listener: FlowListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on("pong", (data) => this.#answered(Number(data.toString())));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get hasRoom(): boolean {
    return this.#socket.bufferedAmount < HIGH_WATER && this.#asked - this.#taken < WINDOW_BYTES;
  }

  /** `of`: on a socket that carries several runs. */
  send(message: Message, of: Channel | null = null): void {
    this.#sent += sendMessage(this.#socket, message, of, this.#written);
    if (this.#sent - this.#asked >= ASK_BYTES) this.#ask();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #ask(): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#asked = this.#sent;
    this.#open++;
    this.#ticksSinceAsked = 0;
    this.#socket.ping(String(this.#sent));
  }

  #answered(bytes: number): void {
    // Anything else is not an answer of ours.
    if (!(this.#open > 0 && bytes >= this.#taken && bytes <= this.#asked)) return;
    this.#taken = bytes;
    if (bytes === this.#asked) this.#open = 0;
    this.#ticksWithoutAnswer = 0;
    this.#listener.onRoom();
  }

  #written = (): void => this.#listener.onRoom();

  #tick(): void {
    this.#ticksWithoutAnswer = this.#open > 0 ? this.#ticksWithoutAnswer + 1 : 0;
    if (this.#ticksWithoutAnswer >= FROZEN_TICKS) this.#listener.onFrozen();
    else if (this.#sent > this.#asked || ++this.#ticksSinceAsked >= HEARTBEAT_TICKS) this.#ask();
  }
}
