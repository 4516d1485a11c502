import type { Thinning } from "../../schemas/stream.js";
import type { LogEntry } from "../../store/log.js";
import type { Cursor, Sink } from "../../store/tail.js";
import { deletedMessage, type Message } from "./messages.js";
import { createShape, HoldingBudget, type Shape } from "./thinning.js";

/** The connection, or the part of it, that a reading goes to. */
export interface Outlet {
  /** Whether it takes another message; if not, it calls the reading's `resume` when it does. */
  hasRoom(): boolean;
  write(message: Message, nextStep: number): void;
  /** `end` has been written; the reading is closed. */
  over(reason: string): void;
  /** The reading has no use for room at present. */
  idle?(): void;
}

/** One reader of one log: where it stands, and what it makes of what it reads. */
export class Reading implements Sink {
  /** The step that the reader would resume from. */
  nextStep: number;
  readonly #outlet: Outlet;
  readonly #shape: Shape;
  #cursor: Cursor | null = null;

  /** `budget`: shared by the readings of one connection. */
  constructor(outlet: Outlet, from: number, thinning: Thinning, budget = new HoldingBudget()) {
    this.#outlet = outlet;
    this.nextStep = from;
    const emit = (message: Message, nextStep: number) => this.#emit(message, nextStep);
    const owner = { emit, hasRoom: () => outlet.hasRoom(), ready: () => this.#cursor?.resume() };
    this.#shape = createShape(owner, from, thinning, budget);
  }

  attach(cursor: Cursor): void {
    this.#cursor = cursor;
    cursor.resume();
  }

  /** There is room in the connection. */
  resume(): void {
    this.#shape.resume();
    this.#cursor?.resume();
  }

  writable(): boolean {
    if (this.#shape.takes()) return this.#outlet.hasRoom();
    this.#outlet.idle?.();
    return false;
  }

  send(entry: LogEntry): void {
    this.#shape.take(entry);
  }

  caughtUp(): void {
    this.#outlet.idle?.();
  }

  gone(): void {
    this.#emit(deletedMessage(this.nextStep), this.nextStep, "it was deleted");
  }

  close(): void {
    this.#shape.close();
    this.#cursor?.close();
  }

  #emit(message: Message, nextStep: number, reason = "it is over"): void {
    this.nextStep = Math.max(this.nextStep, nextStep);
    this.#outlet.write(message, this.nextStep);
    if (message.type !== "end") return;
    this.close();
    this.#outlet.over(reason);
  }
}
