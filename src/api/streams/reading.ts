import type { Thinning } from "../../schemas/stream.js";
import type { Cursor, LogEntry, Sink } from "../../store/contract.js";
import type { Channel, Connection } from "./connection.js";
import { deletedMessage, type Message, messagesOf, rollbackMessage } from "./messages.js";
import { type HoldingBudget, Thinner } from "./thinner.js";
import type { Turns } from "./turns.js";

/** What the readings of one connection share. */
export interface Shared {
  readonly connection: Connection;
  readonly turns: Turns<Reading>;
  readonly budget: HoldingBudget;
}

/** What is read of a log, and how its messages name it. */
export interface Wanted {
  readonly from: number;
  readonly thinning: Thinning;
  /** null: the connection carries this log alone. */
  readonly channel: Channel | null;
}

/** One reader of one log: where it stands, and what it makes of what it reads. */
export class Reading implements Sink {
  /** The step that the reader would resume from. */
  nextStep: number;
  readonly #shared: Shared;
  readonly #channel: Channel | null;
  readonly #thinner: Thinner | null;
  readonly #over: (reason: string) => void;
  #cursor: Cursor | null = null;

  /** `over` is called once `end` has been written and the reading is closed. */
  constructor(shared: Shared, { from, thinning, channel }: Wanted, over: (reason: string) => void) {
    this.#shared = shared;
    this.nextStep = from;
    this.#channel = channel;
    this.#over = over;
    const thins = thinning.every !== undefined || thinning.maxHz !== undefined;
    this.#thinner = thins ? new Thinner(() => this.#flush(), from, thinning, shared.budget) : null;
  }

  attach(cursor: Cursor): void {
    this.#cursor = cursor;
    cursor.resume();
  }

  resume(): void {
    if (this.#thinner?.isDue) this.#flush();
    else this.#cursor?.resume();
  }

  hasRoom(): boolean {
    if (!this.#thinner?.isFull) return this.#shared.turns.hasRoom(this);
    // Full, it has no use for room before its time; then it stands in line for it, and must not lose its place.
    if (!this.#thinner.isDue) this.#shared.turns.done(this);
    return false;
  }

  send(entry: LogEntry): void {
    if (this.#thinner === null) {
      // After a roll-back what comes may overlap what was sent.
      if (entry.kind === "progress" && entry.step <= this.nextStep) return;
      for (const message of messagesOf(entry, this.nextStep)) this.#write(message, message.nextStep);
    } else {
      for (const message of this.#thinner.take(entry)) this.#write(message, this.#thinner.sent);
    }
  }

  caughtUp(): void {
    this.#shared.turns.done(this);
  }

  rolledBack(step: number): void {
    this.#write(rollbackMessage(step), this.nextStep);
  }

  gone(): void {
    this.#write(deletedMessage(this.nextStep), this.nextStep, "it was deleted");
  }

  close(): void {
    this.#thinner?.close();
    this.#cursor?.close();
  }

  #flush(): void {
    if (!this.#shared.turns.hasRoom(this)) return;
    const message = this.#thinner!.flush(false);
    if (message !== null) this.#write(message, message.nextStep);
    this.#cursor?.resume();
  }

  #write(message: Message, nextStep: number, reason = "it is over"): void {
    const { connection, turns } = this.#shared;
    this.nextStep = Math.max(this.nextStep, nextStep);
    connection.write(message, this.nextStep, this.#channel);
    turns.wrote(this);
    if (message.type !== "end") return;
    this.close();
    this.#over(reason);
  }
}
