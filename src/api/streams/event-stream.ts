import type { ServerResponse } from "node:http";
import { type Connection, FROZEN_TICKS, HIGH_WATER, TICK_MS } from "./connection.js";
import type { Message } from "./messages.js";

const HEARTBEAT_MS = 10_000;

/** Begins a response of Server-Sent Events, and keeps it alive for as long as it is open. */
export function openEventStream(response: ServerResponse): void {
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  response.write("retry: 1000\n\n");
  const heartbeat = setInterval(() => {
    if (!response.writableEnded) response.write(":\n\n");
  }, HEARTBEAT_MS);
  response.on("close", () => clearInterval(heartbeat));
}

/** Messages as Server-Sent Events; of the peer no more is known than what it takes from this process. */
export class EventStreamConnection implements Connection {
  readonly #response: ServerResponse;
  #timer: NodeJS.Timeout | undefined;
  #resume = () => {};
  #lastBuffered = 0;
  #tookSome = false;
  #stuckTicks = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    openEventStream(response);
  }

  watch(resume: () => void, frozen: () => void): void {
    this.#resume = resume;
    this.#timer = setInterval(() => {
      if (this.#isFrozen()) frozen();
    }, TICK_MS);
  }

  hasRoom(): boolean {
    return this.#response.writableLength < HIGH_WATER;
  }

  write({ type, json }: Message, nextStep: number): void {
    this.#response.write(`id: ${nextStep}\nevent: ${type}\ndata: ${json}\n\n`, (error) => {
      if (error != null) return;
      this.#tookSome = true;
      this.#resume();
    });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  end(): void {
    this.#response.end();
  }

  kill(): void {
    this.#response.destroy();
  }

  #isFrozen(): boolean {
    const buffered = this.#response.writableLength;
    // Not whether the buffer has changed: a heartbeat makes it grow.
    const stuck = buffered > 0 && buffered >= this.#lastBuffered && !this.#tookSome;
    this.#lastBuffered = buffered;
    this.#tookSome = false;
    this.#stuckTicks = stuck ? this.#stuckTicks + 1 : 0;
    return this.#stuckTicks >= FROZEN_TICKS;
  }
}
