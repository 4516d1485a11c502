import { ProblemError } from "../../schemas/problem.js";

/** Lets so many of a costly kind of work be done at once, and so many more wait their turn; refuses the rest. */
export class Limiter {
  readonly #atOnce: number;
  readonly #mostWaiting: number;
  readonly #what: string;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  /** `what`: of which there are too many, for the refusal. */
  constructor(atOnce: number, mostWaiting: number, what: string) {
    this.#atOnce = atOnce;
    this.#mostWaiting = mostWaiting;
    this.#what = what;
  }

  /** Rejects with a ProblemError where too many wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy < this.#atOnce) this.#busy++;
    else {
      if (this.#waiting.length >= this.#mostWaiting) {
        throw new ProblemError("too-many-requests", `Too many ${this.#what} at once`);
      }
      // Who ends a turn hands it on, so the number of the busy stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy--;
      else next();
    }
  }
}
