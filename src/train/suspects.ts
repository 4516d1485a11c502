/**
 * Runs that died without progress are begun again one at a time in a process, each only once the one before it has made
 * progress or ended: so a run that kills its process is alone with its guilt, and those that died beside it are not called
 * poison too. Runs that had made progress go on at once.
 */
export class Suspects {
  #last: Promise<void> = Promise.resolve();

  async begin<T>(attempt: (onProgress: () => void) => Promise<T>): Promise<T> {
    const before = this.#last;
    let cleared!: () => void;
    this.#last = new Promise((resolve) => {
      cleared = resolve;
    });
    try {
      await before;
      return await attempt(cleared);
    } finally {
      cleared();
    }
  }
}
