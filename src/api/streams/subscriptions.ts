import type { Tail } from "../../store/contract.js";
import { CLOSE, type Connection } from "./connection.js";
import { Reading, type Wanted } from "./reading.js";
import { HoldingBudget } from "./thinner.js";
import { Turns } from "./turns.js";

/** How long a reader that is told to go has to take what is left, and the reason with it. */
export const FAREWELL_MS = 3000;

/** The logs that one connection carries, by id: a reading each, which share its room in turns. */
export class Subscriptions {
  readonly #connection: Connection;
  readonly #turns: Turns<Reading>;
  readonly #budget = new HoldingBudget();
  readonly #readings = new Map<string, Reading>();

  /** `frozen`: the peer takes nothing, or is gone without a word. */
  constructor(connection: Connection, frozen: () => void) {
    this.#connection = connection;
    this.#turns = new Turns(() => connection.hasRoom());
    connection.watch(() => this.#turns.resume(), frozen);
  }

  get size(): number {
    return this.#readings.size;
  }

  get(id: string): Reading | undefined {
    return this.#readings.get(id);
  }

  /** A place for a log, from which nothing is read before the reading has a cursor; `over` as in Reading. */
  add(id: string, wanted: Wanted, over: (reason: string) => void): Reading {
    const shared = { connection: this.#connection, turns: this.#turns, budget: this.#budget };
    const reading = new Reading(shared, wanted, over);
    this.#readings.set(id, reading);
    return reading;
  }

  remove(id: string): void {
    const reading = this.#readings.get(id);
    if (reading === undefined) return;
    reading.close();
    this.#readings.delete(id);
    this.#turns.done(reading);
  }

  /** By id, the step to go on from. */
  nextSteps(): Record<string, number> {
    return Object.fromEntries([...this.#readings].map(([id, { nextStep }]) => [id, nextStep]));
  }

  close(): void {
    this.#connection.stop();
    for (const reading of this.#readings.values()) reading.close();
    this.#readings.clear();
  }

  end(code: number, reason: string): void {
    this.close();
    this.#connection.end(code, reason);
  }

  /** Ends it once the peer has taken what waits for it, or has had the time to: it must hold up neither memory nor a shutdown. */
  farewell(code: number, reason: string): void {
    this.end(code, reason);
    setTimeout(() => this.#connection.kill(), FAREWELL_MS).unref();
  }
}

/** A connection in use. */
export interface Stream {
  /** The server goes away: tells the reader where to go on. */
  restart(): void;
  /** The connection is closed. */
  close(): void;
}

/**
 * One log over a connection of its own: a single subscription, which its messages do not name. `start`: as of startOf.
 * `resumes`: the reader has had all before `from`; where the log ends before that, it has been rolled back meanwhile.
 */
export function followOne(
  connection: Connection,
  tail: Tail,
  id: string,
  { start, resumes, ...wanted }: Omit<Wanted, "channel"> & { readonly start: number; readonly resumes: boolean },
): Stream {
  const farewell = (code: number) => subscriptions.farewell(code, JSON.stringify({ resumeFrom: reading.nextStep }));
  const subscriptions = new Subscriptions(connection, () => farewell(CLOSE.frozen));
  const over = (reason: string) => subscriptions.end(CLOSE.end, reason);
  const reading = subscriptions.add(id, { ...wanted, channel: null }, over);
  if (resumes && start < wanted.from) reading.rolledBack(start);
  reading.attach(tail.follow(id, start, reading));
  return { restart: () => farewell(CLOSE.restart), close: () => subscriptions.close() };
}
