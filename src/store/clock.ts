import type { AnnealRedis } from "./connect.js";

/** How long one reading serves. */
const FRESH_MS = 1000;

/** Redis's clock, read once a second at most, so that a deadline in its time costs no round trip of its own. */
export class RedisClock {
  readonly #redis: AnnealRedis;
  /** Redis's time minus ours; ours is monotonic. Never too large: the reply's way back is counted as if it took no time. */
  #offsetMs = 0;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  constructor(redis: AnnealRedis) {
    this.#redis = redis;
  }

  /** Milliseconds since 1970. Rejects as a command does when a reading is due and Redis is away. */
  async now(): Promise<number> {
    if (performance.now() - this.#readAt > FRESH_MS) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = null;
      });
      await this.#reading;
    }
    return performance.now() + this.#offsetMs;
  }

  async #read(): Promise<void> {
    const [seconds, micros] = (await this.#redis.time()) as unknown as [number, number];
    this.#readAt = performance.now();
    this.#offsetMs = Number(seconds) * 1000 + Number(micros) / 1000 - this.#readAt;
  }
}
