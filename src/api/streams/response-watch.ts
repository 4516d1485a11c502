import type { ServerResponse } from "node:http";
import { FROZEN_TICKS, TICK_MS } from "./flow.js";

/** Watches whether the peer of an HTTP response still takes what waits for it; nothing is known of what lies further on. */
export class ResponseWatch {
  readonly #response: ServerResponse;
  readonly #onFrozen: () => void;
  readonly #timer: NodeJS.Timeout;
  #lastBuffered = 0;
  #tookSome = false;
  #stuckTicks = 0;

  constructor(response: ServerResponse, onFrozen: () => void) {
    this.#response = response;
    this.#onFrozen = onFrozen;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  tookSome(): void {
    this.#tookSome = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const buffered = this.#response.writableLength;
    // Not whether the buffer has changed: a heartbeat makes it grow.
    const stuck = buffered > 0 && buffered >= this.#lastBuffered && !this.#tookSome;
    this.#lastBuffered = buffered;
    this.#tookSome = false;
    this.#stuckTicks = stuck ? this.#stuckTicks + 1 : 0;
    if (this.#stuckTicks >= FROZEN_TICKS) this.#onFrozen();
  }
}
