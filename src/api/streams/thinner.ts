import { sliceChunk } from "../../schemas/metrics.js";
import type { Thinning } from "../../schemas/stream.js";
import type { LogEntry } from "../../store/contract.js";
import { type Held, HeldBuckets, HeldSteps } from "./held.js";
import { isLast, type Message, messagesOf } from "./messages.js";

/** Steps or buckets after which a message is full; what comes then waits in the log. A last chunk may go beyond it. */
const MOST_STEPS = 65_536;
const MOST_BUCKETS = 8192;

/** What the readers of one connection hold between them; beyond `most`, none takes more than one chunk. */
export class HoldingBudget {
  readonly most = 4 * MOST_STEPS;
  used = 0;
}

/**
 * Makes fewer messages of a log: metrics merged up to a rate (`maxHz`), or into buckets (`every`), or both. A status does not
 * wait for either: what is whole by then goes out, and then the status; at the end of a run, the last bucket as it is.
 */
export class Thinner {
  readonly #due: () => void;
  readonly #held: Held;
  readonly #budget: HoldingBudget;
  readonly #most: number;
  readonly #intervalMs: number;
  /** The next step to be taken. */
  #next: number;
  #sent: number;
  #size = 0;
  #dueAt = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `due` is called when it is time to `flush`. */
  constructor(due: () => void, from: number, { every, maxHz }: Thinning, budget: HoldingBudget) {
    this.#due = due;
    this.#held = every === undefined ? new HeldSteps() : new HeldBuckets(every, from);
    this.#most = every === undefined ? MOST_STEPS : MOST_BUCKETS;
    this.#intervalMs = maxHz === undefined ? 0 : 1000 / maxHz;
    this.#budget = budget;
    this.#next = from;
    this.#sent = from;
  }

  /** It holds as much as it may: nothing is taken before a `flush`. */
  get isFull(): boolean {
    return this.#size > 0 && (this.#size >= this.#most || this.#budget.used >= this.#budget.most);
  }

  /** What it holds may go out as soon as there is room. */
  get isDue(): boolean {
    return this.#size > 0 && this.#timer === null;
  }

  /** The step that follows the last message: what a resume goes on from. */
  get sent(): number {
    return this.#sent;
  }

  /** The messages that an entry makes due; `sent` is right for each when it is yielded. */
  *take(entry: LogEntry): Generator<Message> {
    if (entry.kind !== "chunk") {
      const whole = this.flush(isLast(entry));
      if (whole !== null) yield whole;
      // The log of a fork begins later than its reader may have asked: what all before has been sent of is gone on from there.
      if (this.#next === this.#sent && entry.step > this.#next) this.#next = this.#sent = entry.step;
      yield* messagesOf(entry, this.#next);
      return;
    }
    const chunk = sliceChunk(entry.chunk, this.#next);
    if (chunk === null) return;
    this.#held.push(chunk);
    this.#next = entry.step;
    this.#count();
    if (this.#size === 0) return;
    if (this.#intervalMs === 0) {
      const whole = this.flush(false);
      if (whole !== null) yield whole;
      return;
    }
    // Even where a message is due: what is delivered together goes out together.
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        this.#due();
      },
      Math.max(0, this.#dueAt - performance.now()),
    );
  }

  /** One message of what is held; `all`: with the bucket that is being filled. null: there is nothing. */
  flush(all: boolean): Message | null {
    const message = this.#held.take(all);
    this.#count();
    if (message === null) return null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#dueAt = performance.now() + this.#intervalMs;
    this.#sent = message.nextStep;
    return message;
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#budget.used -= this.#size;
    this.#size = 0;
  }

  #count(): void {
    this.#budget.used += this.#held.size - this.#size;
    this.#size = this.#held.size;
  }
}
