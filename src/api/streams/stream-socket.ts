import type { WebSocket } from "ws";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import type { Subscribe } from "../../schemas/stream-many.js";
import type { Tail } from "../../store/tail.js";
import { problemOf } from "../http/problems.js";
import { HIGH_WATER } from "./flow.js";
import type { Message } from "./messages.js";
import { Reading } from "./reading.js";
import { SocketFlow } from "./socket-flow.js";
import type { CommandParser } from "./stream-commands.js";
import { type ExtentOf, startOf } from "./stream-start.js";
import { CLOSE, FAREWELL_MS } from "./subscriber.js";
import { HoldingBudget } from "./thinning.js";
import { Turns } from "./turns.js";

export interface StreamSocketOptions {
  readonly tail: Tail;
  readonly extentOf: ExtentOf;
  readonly parse: CommandParser;
  readonly requestId: string;
  /** How long the socket may follow nothing. */
  readonly idleMs: number;
}

/** A run's place on a socket, from the moment the client asks for it. */
interface Subscription {
  readonly run: string;
  readonly channel: number;
  readonly reading: Reading;
}

/** Several logs over one WebSocket: a reading each, which share its room in turns. */
export class StreamSocket {
  readonly #socket: WebSocket;
  readonly #options: StreamSocketOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #turns: Turns;
  readonly #budget = new HoldingBudget();
  readonly #flow: SocketFlow;
  #idleTimer: NodeJS.Timeout | undefined;
  #channels = 0;
  #badMessages = 0;
  #secondBegan = 0;
  #messagesInSecond = 0;

  constructor(socket: WebSocket, options: StreamSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#flow = new SocketFlow(socket, {
      onRoom: () => this.#taken(),
      onFrozen: () => this.#farewell(CLOSE.frozen, "nothing was taken"),
    });
    this.#turns = new Turns(() => this.#flow.hasRoom);
    this.#watchIdle();
    socket.on("message", (data, isBinary) => this.#receive(isBinary ? null : String(data)));
    socket.on("close", () => this.close());
  }

  /** The server goes away: tells the reader where to go on with each run. */
  restart(): void {
    const steps = [...this.#subscriptions.values()].map(({ run, reading }) => [run, reading.nextStep]);
    this.#reply({ type: "restart", resumeFrom: Object.fromEntries(steps) });
    this.#farewell(CLOSE.restart, "the server goes away");
  }

  close(): void {
    clearTimeout(this.#idleTimer);
    this.#flow.stop();
    for (const { reading } of this.#subscriptions.values()) reading.close();
    this.#subscriptions.clear();
  }

  /** Ends it once the client has taken what waits for it, or has had the time to. */
  #farewell(code: number, reason: string): void {
    this.#finish(code, reason);
    setTimeout(() => this.#socket.terminate(), FAREWELL_MS).unref();
  }

  #finish(code: number, reason: string): void {
    this.close();
    this.#socket.close(code, reason);
  }

  /** `text`: null for a binary frame. */
  #receive(text: string | null): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    // Answers wait in memory: who does not take them is not listened to.
    if (this.#socket.bufferedAmount >= HIGH_WATER) this.#socket.pause();
    if (this.#withinRate()) this.#obey(text);
    else this.#finish(CLOSE.policy, "too many messages a second");
  }

  #obey(text: string | null): void {
    const parsed = this.#options.parse(text);
    if ("command" in parsed) {
      if (parsed.command.type === "subscribe") void this.#subscribe(parsed.command);
      else this.#unsubscribe(parsed.command.run);
      return;
    }
    this.#refuse(parsed.problem, parsed.run);
    if (++this.#badMessages >= LIMITS.badMessagesPerSocket) this.#finish(CLOSE.policy, "too many bad messages");
  }

  async #subscribe({ run, from = 0, every, maxHz }: Subscribe): Promise<void> {
    const subscriptions = this.#subscriptions;
    if (subscriptions.has(run)) return this.#refuse(new ProblemError("conflict", `${run} is followed already`), run);
    if (subscriptions.size >= LIMITS.subscriptionsPerSocket) {
      const most = `At most ${LIMITS.subscriptionsPerSocket} can be followed at once`;
      return this.#refuse(new ProblemError("too-many-requests", most), run);
    }
    const channel = ++this.#channels;
    const outlet = {
      hasRoom: () => this.#turns.mayWrite(reading),
      write: (message: Message) => {
        this.#flow.send(message, { run, channel });
        this.#turns.wrote(reading);
      },
      over: () => this.#remove(subscription),
      idle: () => this.#turns.done(reading),
    };
    const reading = new Reading(outlet, from, { every, maxHz }, this.#budget);
    const subscription = { run, channel, reading };
    subscriptions.set(run, subscription);
    clearTimeout(this.#idleTimer);
    try {
      const start = await startOf(this.#options.extentOf, run, from);
      // Taken back, or the socket gone, while we looked.
      if (subscriptions.get(run) !== subscription) return;
      this.#reply({ type: "subscribed", run, from, channel });
      reading.attach(this.#options.tail.follow(run, start, reading));
    } catch (error) {
      if (subscriptions.get(run) !== subscription) return;
      this.#remove(subscription);
      this.#refuse(error, run);
    }
  }

  #unsubscribe(run: string): void {
    const subscription = this.#subscriptions.get(run);
    if (subscription === undefined) {
      this.#refuse(new ProblemError("not-found", `${run} is not followed`), run);
      return;
    }
    this.#remove(subscription);
    this.#reply({ type: "unsubscribed", run, resumeFrom: subscription.reading.nextStep });
  }

  #remove({ run, reading }: Subscription): void {
    reading.close();
    this.#subscriptions.delete(run);
    this.#turns.done(reading);
    if (this.#subscriptions.size === 0) this.#watchIdle();
  }

  #refuse(error: unknown, run?: string): void {
    const named = run === undefined ? {} : { run };
    this.#reply({ type: "error", ...named, problem: problemOf(error, this.#options.requestId) });
  }

  #reply(body: object): void {
    this.#socket.send(JSON.stringify(body), this.#taken);
  }

  #taken = (): void => {
    if (this.#socket.isPaused && this.#socket.bufferedAmount < HIGH_WATER) this.#socket.resume();
    this.#turns.give();
  };

  #withinRate(): boolean {
    const now = performance.now();
    if (now - this.#secondBegan >= 1000) {
      this.#secondBegan = now;
      this.#messagesInSecond = 0;
    }
    return ++this.#messagesInSecond <= LIMITS.messagesPerSecond;
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#finish(CLOSE.idle, "nothing is followed"), this.#options.idleMs);
  }
}
