/** Messages a turn: about what is read from the store at once, and would be read again. */
const SHARE = 16;

/** A reader that goes on when it is told to. */
export interface Turn {
  resume(): void;
}

/**
 * Shares the room of one connection among its readers. While there is room and nobody waits, anyone may write. Whoever finds
 * it full waits in line; then turns are given in order, one at a time, so that none reads from the store what it could not
 * write. A turn ends when its holder has filled the room, has written its share, or has nothing more.
 */
export class Turns {
  readonly #hasRoom: () => boolean;
  readonly #line = new Set<Turn>();
  #holder: Turn | null = null;
  #left = 0;
  #giving = false;

  constructor(hasRoom: () => boolean) {
    this.#hasRoom = hasRoom;
  }

  /** Whether this reader may write a message now; if not, it stands in line. */
  mayWrite(reader: Turn): boolean {
    const itsTurn = this.#holder === null ? this.#line.size === 0 : this.#holder === reader;
    if (itsTurn && this.#hasRoom()) return true;
    if (this.#holder === reader) this.#holder = null;
    this.#line.add(reader);
    return false;
  }

  /** This reader has written a message. */
  wrote(reader: Turn): void {
    if (this.#holder !== reader || --this.#left > 0 || this.#line.size === 0) return;
    this.#holder = null;
    this.#line.add(reader);
    // Not from within what the reader is about: its turn may come again at once.
    setImmediate(() => this.give());
  }

  /** This reader has nothing to write. */
  done(reader: Turn): void {
    this.#line.delete(reader);
    if (this.#holder !== reader) return;
    this.#holder = null;
    this.give();
  }

  /** There may be room again. */
  give(): void {
    if (this.#giving) return;
    this.#giving = true;
    while (this.#holder === null && this.#hasRoom()) {
      const [next] = this.#line;
      if (next === undefined) break;
      this.#line.delete(next);
      this.#holder = next;
      this.#left = SHARE;
      next.resume();
    }
    this.#giving = false;
  }
}
