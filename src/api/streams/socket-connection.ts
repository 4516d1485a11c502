import type { WebSocket } from "ws";
import { type Channel, type Connection, FROZEN_TICKS, HIGH_WATER, TICK_MS } from "./connection.js";
import type { Message } from "./messages.js";
import { sendMessage } from "./socket-protocol.js";

/** Bytes after which the peer is asked how far it has come, and how far it may be behind: operating systems hold megabytes. */
const ASK_BYTES = 64 * 1024;
const WINDOW_BYTES = 512 * 1024;
/** A connection with nothing to say asks this often whether the peer is there. */
const HEARTBEAT_TICKS = 10;

/**
 * A WebSocket, and what its peer has taken. A ping travels behind the bytes that were sent before it, and every client answers
 * it by itself, so its pong says how far the peer has read, whatever the buffers between hold.
 */
export class SocketConnection implements Connection {
  readonly #socket: WebSocket;
  #timer: NodeJS.Timeout | undefined;
  #resume = () => {};
  #frozen = () => {};
  /** Bytes sent, sent before the last ping, and sent before the last ping that was answered. */
  #sent = 0;
  #asked = 0;
  #taken = 0;
  /** Pings without an answer. */
  #open = 0;
  /** Ticks, not time: a server that was busy for seconds has not given its peers a chance to answer. */
  #ticksWithoutAnswer = 0;
  #ticksSinceAsked = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("pong", (data) => this.#answered(Number(data.toString())));
  }

  /** `frozen` is called, too, when the peer is gone without a word. */
  watch(resume: () => void, frozen: () => void): void {
    this.#resume = resume;
    this.#frozen = frozen;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  hasRoom(): boolean {
    return this.#socket.bufferedAmount < HIGH_WATER && this.#asked - this.#taken < WINDOW_BYTES;
  }

  write(message: Message, _nextStep: number, of: Channel | null): void {
    this.#sent += sendMessage(this.#socket, message, of, this.#written);
    if (this.#sent - this.#asked >= ASK_BYTES) this.#ask();
  }

  /** What the client sends, null for a binary frame; who does not take the replies to it is not listened to. */
  listen(receive: (text: string | null) => void): void {
    this.#socket.on("message", (data, isBinary) => {
      if (this.#socket.readyState !== this.#socket.OPEN) return;
      if (this.#socket.bufferedAmount >= HIGH_WATER) this.#socket.pause();
      receive(isBinary ? null : String(data));
    });
  }

  /** Answers what the client has sent, room or none. */
  reply(body: object): void {
    this.#socket.send(JSON.stringify(body), this.#written);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  end(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  kill(): void {
    this.#socket.terminate();
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
    this.#resume();
  }

  #written = (): void => {
    if (this.#socket.isPaused && this.#socket.bufferedAmount < HIGH_WATER) this.#socket.resume();
    this.#resume();
  };

  #tick(): void {
    this.#ticksWithoutAnswer = this.#open > 0 ? this.#ticksWithoutAnswer + 1 : 0;
    if (this.#ticksWithoutAnswer >= FROZEN_TICKS) this.#frozen();
    else if (this.#sent > this.#asked || ++this.#ticksSinceAsked >= HEARTBEAT_TICKS) this.#ask();
  }
}
