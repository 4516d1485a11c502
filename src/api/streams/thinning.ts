import type { Thinning } from "../../schemas/stream.js";
import { type LogEntry, sliceChunk } from "../../store/log.js";
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

/** What a reader makes of a log: entries in, messages out, each with the step to resume from. */
export interface Shape {
  /** False: it has as much as it will hold, and calls the owner's `ready` when that changes. */
  takes(): boolean;
  take(entry: LogEntry): void;
  /** There is room in the connection. */
  resume(): void;
  close(): void;
}

export interface ShapeOwner {
  emit(message: Message, nextStep: number): void;
  /** Whether the connection takes a message now; if not, it calls `resume` when it does. */
  hasRoom(): boolean;
  ready(): void;
}

export function createShape(owner: ShapeOwner, from: number, thinning: Thinning, budget: HoldingBudget): Shape {
  const { every, maxHz } = thinning;
  if (every !== undefined || maxHz !== undefined) return new ThinShape(owner, from, thinning, budget);
  return {
    takes: () => true,
    take: (entry) => {
      for (const message of messagesOf(entry, from)) owner.emit(message, message.nextStep);
    },
    resume: () => {},
    close: () => {},
  };
}

/**
 * Metrics merged up to a rate (`maxHz`), or into buckets (`every`), or both. A status does not wait for either: what is
 * whole by then goes out, and then the status; at the end of a run, the last bucket as it is.
 */
class ThinShape implements Shape {
  readonly #owner: ShapeOwner;
  readonly #held: Held;
  readonly #budget: HoldingBudget;
  readonly #most: number;
  readonly #intervalMs: number;
  /** The next step to be taken, and the one that follows the last message: what a resume goes on from. */
  #next: number;
  #sent: number;
  #size = 0;
  #dueAt = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(owner: ShapeOwner, from: number, { every, maxHz }: Thinning, budget: HoldingBudget) {
    this.#owner = owner;
    this.#held = every === undefined ? new HeldSteps() : new HeldBuckets(every, from);
    this.#most = every === undefined ? MOST_STEPS : MOST_BUCKETS;
    this.#intervalMs = maxHz === undefined ? 0 : 1000 / maxHz;
    this.#budget = budget;
    this.#next = from;
    this.#sent = from;
  }

  takes(): boolean {
    if (this.#size === 0) return true;
    return this.#size < this.#most && this.#budget.used < this.#budget.most;
  }

  take(entry: LogEntry): void {
    if (entry.kind !== "chunk") {
      this.#flush(isLast(entry));
      // The log of a fork begins later than its reader may have asked: what all before has been sent of is gone on from there.
      if (this.#next === this.#sent && entry.step > this.#next) this.#next = this.#sent = entry.step;
      for (const message of messagesOf(entry, this.#next)) this.#owner.emit(message, this.#sent);
      return;
    }
    const chunk = sliceChunk(entry.chunk, this.#next);
    if (chunk === null) return;
    this.#held.push(chunk);
    this.#next = entry.step;
    this.#count();
    if (this.#size === 0) return;
    if (this.#intervalMs === 0) this.#flush(false);
    // Even where a message is due: what is delivered together goes out together.
    else this.#timer ??= setTimeout(() => this.#tick(), Math.max(0, this.#dueAt - performance.now()));
  }

  resume(): void {
    if (this.#size > 0 && this.#timer === null) this.#tick();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#budget.used -= this.#size;
    this.#size = 0;
  }

  #tick(): void {
    this.#timer = null;
    if (!this.#owner.hasRoom()) return;
    this.#flush(false);
    this.#owner.ready();
  }

  #flush(all: boolean): void {
    const message = this.#held.take(all);
    this.#count();
    if (message === null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#dueAt = performance.now() + this.#intervalMs;
    this.#sent = message.nextStep;
    this.#owner.emit(message, this.#sent);
  }

  #count(): void {
    this.#budget.used += this.#held.size - this.#size;
    this.#size = this.#held.size;
  }
}
