/** What it needs of the store. */
export interface Shares {
  waiting(most: number): Promise<readonly { readonly id: string; readonly place: number }[]>;
  owner(id: string): Promise<string>;
  charge(id: string, seconds: number): Promise<void>;
}

/** As many of the line are looked at: whoever has had little stands near its head. */
const LOOKED_AT = 200;

export interface TurnOptions {
  readonly sliceSeconds: number;
  readonly unitSeconds: number;
  readonly now?: () => number;
}

/** A run that has a thread. */
interface Turn {
  readonly id: string;
  readonly place: number;
  readonly owner: string;
  readonly since: number;
  readonly end: () => void;
  ended: boolean;
}

/**
 * Ends the turns of runs that have had theirs while somebody waits who has had less. While nobody else waits, a run keeps its
 * thread to its end.
 */
export class Turns {
  readonly #shares: Shares;
  readonly #options: TurnOptions;
  readonly #now: () => number;
  readonly #running = new Map<string, Turn>();

  constructor(shares: Shares, options: TurnOptions) {
    this.#shares = shares;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Until the promise that `work` gives; `end` asks it to hand its run back. Says whether it was asked to. */
  async during<T>(
    id: string,
    place: number,
    end: () => void,
    work: () => Promise<T>,
  ): Promise<{ result: T; asked: boolean }> {
    const turn: Turn = { id, place, owner: await this.#shares.owner(id), since: this.#now(), end, ended: false };
    this.#running.set(id, turn);
    try {
      return { result: await work(), asked: turn.ended };
    } finally {
      this.#running.delete(id);
      // Lost: an attempt is worth more than its bill.
      await this.#shares.charge(id, (this.#now() - turn.since) / 1000).catch(() => {});
    }
  }

  /** One look at who waits. */
  async look(): Promise<void> {
    const { sliceSeconds, unitSeconds } = this.#options;
    const seconds = (turn: Turn) => (this.#now() - turn.since) / 1000;
    const due = [...this.#running.values()].filter((turn) => !turn.ended && seconds(turn) >= sliceSeconds);
    if (due.length === 0) return;
    const line = await this.#shares.waiting(LOOKED_AT);
    if (line.length === 0) return;
    const owners = await Promise.all(line.map(({ id }) => this.#shares.owner(id)));
    const placeNow = (turn: Turn) => turn.place + seconds(turn) / unitSeconds;
    const waiting = line.map(({ place }, i) => ({ place, owner: owners[i]! }));
    for (const turn of due.sort((a, b) => placeNow(b) - placeNow(a))) {
      const at = waiting.findIndex(({ place, owner }) => owner !== turn.owner && place < placeNow(turn));
      if (at < 0) continue;
      // One thread for each who waits.
      waiting.splice(at, 1);
      turn.ended = true;
      turn.end();
    }
  }
}
