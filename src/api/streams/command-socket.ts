import type { WebSocket } from "ws";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import type { Subscribe } from "../../schemas/stream-many.js";
import type { Tail } from "../../store/contract.js";
import { problemOf } from "../http/problems.js";
import { CLOSE } from "./connection.js";
import { type BoundsOf, startOf } from "./log-bounds.js";
import { SocketConnection } from "./socket-connection.js";
import type { CommandParser } from "./stream-commands.js";
import { type Stream, Subscriptions } from "./subscriptions.js";

export interface CommandSocketOptions {
  readonly tail: Tail;
  readonly boundsOf: BoundsOf;
  readonly parse: CommandParser;
  readonly requestId: string;
  /** How long the socket may follow nothing. */
  readonly idleMs: number;
}

/** A WebSocket whose client says by commands what it follows. */
export class CommandSocket implements Stream {
  readonly #options: CommandSocketOptions;
  readonly #connection: SocketConnection;
  readonly #subscriptions: Subscriptions;
  #idleTimer: NodeJS.Timeout | undefined;
  #channels = 0;
  #badMessages = 0;
  #secondBegan = 0;
  #messagesInSecond = 0;

  constructor(socket: WebSocket, options: CommandSocketOptions) {
    this.#options = options;
    this.#connection = new SocketConnection(socket);
    this.#subscriptions = new Subscriptions(this.#connection, () => {
      clearTimeout(this.#idleTimer);
      this.#subscriptions.farewell(CLOSE.frozen, "nothing was taken");
    });
    this.#watchIdle();
    this.#connection.listen((text) => this.#receive(text));
  }

  restart(): void {
    this.#connection.reply({ type: "restart", resumeFrom: this.#subscriptions.nextSteps() });
    clearTimeout(this.#idleTimer);
    this.#subscriptions.farewell(CLOSE.restart, "the server goes away");
  }

  close(): void {
    clearTimeout(this.#idleTimer);
    this.#subscriptions.close();
  }

  #end(code: number, reason: string): void {
    clearTimeout(this.#idleTimer);
    this.#subscriptions.end(code, reason);
  }

  #receive(text: string | null): void {
    if (this.#isWithinRate()) this.#obey(text);
    else this.#end(CLOSE.policy, "too many messages a second");
  }

  #obey(text: string | null): void {
    const parsed = this.#options.parse(text);
    if ("command" in parsed) {
      if (parsed.command.type === "subscribe") void this.#subscribe(parsed.command);
      else this.#unsubscribe(parsed.command.run);
      return;
    }
    this.#refuse(parsed.problem, parsed.run);
    if (++this.#badMessages >= LIMITS.badMessagesPerSocket) this.#end(CLOSE.policy, "too many bad messages");
  }

  async #subscribe({ run, from = 0, every, maxHz }: Subscribe): Promise<void> {
    const subscriptions = this.#subscriptions;
    if (subscriptions.get(run) !== undefined) {
      return this.#refuse(new ProblemError("conflict", `${run} is followed already`), run);
    }
    if (subscriptions.size >= LIMITS.subscriptionsPerSocket) {
      const most = `At most ${LIMITS.subscriptionsPerSocket} can be followed at once`;
      return this.#refuse(new ProblemError("too-many-requests", most), run);
    }
    const channel = ++this.#channels;
    const wanted = { from, thinning: { every, maxHz }, channel: { run, channel } };
    const reading = subscriptions.add(run, wanted, () => this.#remove(run));
    clearTimeout(this.#idleTimer);
    // Taken back, or the socket gone, while we looked.
    const isGone = () => subscriptions.get(run) !== reading;
    try {
      const start = await startOf(this.#options.boundsOf, run, from);
      if (isGone()) return;
      this.#connection.reply({ type: "subscribed", run, from, channel });
      reading.attach(this.#options.tail.follow(run, start, reading));
    } catch (error) {
      if (isGone()) return;
      this.#remove(run);
      this.#refuse(error, run);
    }
  }

  #unsubscribe(run: string): void {
    const reading = this.#subscriptions.get(run);
    if (reading === undefined) {
      this.#refuse(new ProblemError("not-found", `${run} is not followed`), run);
      return;
    }
    this.#remove(run);
    this.#connection.reply({ type: "unsubscribed", run, resumeFrom: reading.nextStep });
  }

  #remove(run: string): void {
    this.#subscriptions.remove(run);
    if (this.#subscriptions.size === 0) this.#watchIdle();
  }

  #refuse(error: unknown, run?: string): void {
    const named = run === undefined ? {} : { run };
    this.#connection.reply({ type: "error", ...named, problem: problemOf(error, this.#options.requestId) });
  }

  #isWithinRate(): boolean {
    const now = performance.now();
    if (now - this.#secondBegan >= 1000) {
      this.#secondBegan = now;
      this.#messagesInSecond = 0;
    }
    return ++this.#messagesInSecond <= LIMITS.messagesPerSecond;
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#end(CLOSE.idle, "nothing is followed"), this.#options.idleMs);
  }
}
