/** A reader that takes nothing for this long is cut off; it can resume from its last step. */
const FROZEN_MS = 12_000;
const CHECK_MS = 1000;

/** Watches whether the peer of a connection still takes what waits for it. */
export class FrozenWatch {
  readonly #bufferedBytes: () => number;
  readonly #onFrozen: () => void;
  readonly #timer: NodeJS.Timeout;
  #lastBuffered = 0;
  #tookSome = false;
  #stuckSince: number | null = null;

  constructor(bufferedBytes: () => number, onFrozen: () => void) {
    this.#bufferedBytes = bufferedBytes;
    this.#onFrozen = onFrozen;
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
  }

  tookSome(): void {
    this.#tookSome = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const buffered = this.#bufferedBytes();
    // Not whether the buffer has changed: a ping makes it grow.
    const stuck = buffered > 0 && buffered >= this.#lastBuffered && !this.#tookSome;
    this.#lastBuffered = buffered;
    this.#tookSome = false;
    if (!stuck) {
      this.#stuckSince = null;
      return;
    }
    this.#stuckSince ??= Date.now();
    if (Date.now() - this.#stuckSince >= FROZEN_MS) this.#onFrozen();
  }
}
