/** Messages a turn: about what is read from the store at once, and would be read again. */
const SHARE = 16;

/**
 * Shares the room of one connection among its readers. While there is room and nobody waits, anyone may write. Whoever finds
 * it full waits in line; then turns are given in order, one at a time, so that none reads from the store what it could not
 * write. A turn ends when its holder has filled the room, has written its share, or has nothing more.
 */
export class Turns<Reader extends { resume(): void }> {
  readonly #anyRoom: () => boolean;
  readonly #line = new Set<Reader>();
  #holder: Reader | null = null;
  #left = 0;
  #giving = false;

  /** `anyRoom`: whether the connection takes a message. */
  constructor(anyRoom: () => boolean) {
    this.#anyRoom = anyRoom;
  }

  /** Whether this reader may write a message now; if not, it stands in line, and its `resume` is called in its turn. */
  hasRoom(reader: Reader): boolean {
    const itsTurn = this.#holder === null ? this.#line.size === 0 : this.#holder === reader;
    if (itsTurn && this.#anyRoom()) return true;
    if (this.#holder === reader) this.#holder = null;
    this.#line.add(reader);
    return false;
  }

  /** This reader has written a message. */
  wrote(reader: Reader): void {
    if (this.#holder !== reader || --this.#left > 0 || this.#line.size === 0) return;
    this.#holder = null;
    this.#line.add(reader);
    // Not from within what the reader is about: its turn may come again at once.
    setImmediate(() => this.resume());
  }

  /** This reader has nothing to write. */
  done(reader: Reader): void {
    this.#line.delete(reader);
    if (this.#holder !== reader) return;
    this.#holder = null;
    this.resume();
  }

  /** There may be room again. */
  resume(): void {
    if (this.#giving) return;
    this.#giving = true;
    while (this.#holder === null && this.#anyRoom()) {
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
