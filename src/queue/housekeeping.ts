import { GRACE_MS, type Jobs, type Reconcilable, Reconciler } from "./reconcile.js";

/** The sign of life that /readyz and /v1/workers look for, and how long it outlives a worker. */
const HEARTBEAT_MS = 1000;
const HEARTBEAT_TTL_SECONDS = 5;

export interface HousekeepingOptions {
  /** Shows that this worker lives, for that many seconds; `lagMs`: by how much it comes late. */
  readonly heartbeat: (ttlSeconds: number, lagMs: number) => Promise<void>;
  readonly records: Reconcilable;
  readonly jobs: Jobs;
  /** Ends what waits for something that will not come. */
  readonly endForsaken: () => Promise<void>;
  /** Gives jobs to what was put aside and can be done by now. */
  readonly unpark: () => Promise<void>;
  /** Deletes what has been over for longer. */
  readonly expire: (ttlSeconds: number) => Promise<void>;
  /** 0: nothing expires. */
  readonly ttlSeconds: number;
  readonly intervalMs: number;
  /** A record without a job was given one. */
  readonly onMended: (id: string) => void;
  readonly onError: (error: unknown) => void;
}

/** What every worker does besides its jobs; any number of workers may do it at once. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #reconciler: Reconciler;
  #timers: NodeJS.Timeout[] = [];

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    const { records, jobs, onMended, intervalMs } = options;
    this.#reconciler = new Reconciler({ records, jobs, looks: 1 + Math.ceil(GRACE_MS / intervalMs), onMended });
  }

  /** Now, and then again and again until `stop`. */
  start(): void {
    const { heartbeat, intervalMs } = this.#options;
    let due = performance.now();
    const beat = () => {
      const lagMs = Math.max(0, Math.round(performance.now() - due));
      due = performance.now() + HEARTBEAT_MS;
      return heartbeat(HEARTBEAT_TTL_SECONDS, lagMs);
    };
    this.#timers = [this.#every(HEARTBEAT_MS, beat), this.#every(intervalMs, () => this.look())];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** One look. A part that fails keeps none of the others from its turn. */
  async look(): Promise<void> {
    const { endForsaken, unpark, expire, ttlSeconds } = this.#options;
    await this.#attempt(() => this.#reconciler.look());
    await this.#attempt(endForsaken);
    await this.#attempt(unpark);
    if (ttlSeconds > 0) await this.#attempt(() => expire(ttlSeconds));
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    await action().catch(this.#options.onError);
  }

  /** A turn that has not ended when the next is due takes that one's place. */
  #every(ms: number, action: () => Promise<void>): NodeJS.Timeout {
    let busy = false;
    const turn = async () => {
      if (busy) return;
      busy = true;
      await this.#attempt(action);
      busy = false;
    };
    void turn();
    return setInterval(turn, ms);
  }
}
