/** Connections to one receiver at once. */
const AT_ONCE = 4;
/** Whoever waits looks again after that long: by then it may be fast. */
const LONGEST_WAIT_MS = 60_000;
/** Weight of the newest time in the average. */
const NEWEST = 0.3;

interface Receiver {
  active: number;
  /** What a delivery takes, on average. */
  averageMs: number;
  /** When the last of those that wait has its turn. */
  lastTurn: number;
}

/** Keeps one receiver that is slow or dead from taking the places of all others. Of one process; times are of any clock. */
export class Receivers {
  readonly #known = new Map<string, Receiver>();

  /** 0: go on, and call `leave`; else how long to wait: turns are as far apart as the receiver has been slow. */
  enter(origin: string, now: number): number {
    const receiver = this.#known.get(origin) ?? { active: 0, averageMs: 0, lastTurn: now };
    this.#known.set(origin, receiver);
    if (receiver.active < AT_ONCE) {
      receiver.active++;
      return 0;
    }
    receiver.lastTurn = Math.max(now, receiver.lastTurn) + Math.max(1, receiver.averageMs / AT_ONCE);
    return Math.min(Math.ceil(receiver.lastTurn - now), LONGEST_WAIT_MS);
  }

  leave(origin: string, now: number, tookMs: number): void {
    const receiver = this.#known.get(origin)!;
    receiver.active--;
    receiver.averageMs += NEWEST * (tookMs - receiver.averageMs);
    if (receiver.active === 0 && receiver.lastTurn <= now) this.#known.delete(origin);
  }
}
