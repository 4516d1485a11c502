/** Which run of a page is pointed at: told to those who show it, without the page being made anew. */
export class Pointed {
  /** -1: none. */
  run = -1;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(run: number): void {
    if (run === this.run) return;
    this.run = run;
    for (const listener of this.#listeners) listener();
  }
}
