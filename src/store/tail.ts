import type { Redis } from "ioredis";
import type { AnnealRedis } from "./connect.js";
import { runKey, WAKE_CHANNEL } from "./keys.js";
import { type LogEntry, positionBefore, readLog } from "./log.js";

/** Entries read at once, and kept in memory for the readers at the head of a run's log. */
const PAGE = 16;
const KEPT = 256;
/** Steps in them, over all replicas: what bounds the memory. */
const KEPT_STEPS = 65_536;

/** Where a cursor delivers. `send` is called in log order, each entry once, while `writable`. */
export interface Sink {
  /** False while the reader lags; call the cursor's `resume` when that changes. */
  writable(): boolean;
  send(entry: LogEntry): void;
  /** Every entry that there is has been sent. */
  caughtUp?(): void;
  /** The run was deleted under the reader. */
  gone(): void;
}

/**
 * Follows the logs of runs for any number of readers, with one subscription and one read per run, however many they are.
 * A reader is a position: whoever is at the head shares the entries in memory, whoever lags reads from Redis at its own
 * pace. Nothing is queued for a slow reader.
 */
export class Tail {
  readonly #reader: AnnealRedis;
  readonly #subscriber: Redis;
  readonly #feeds = new Map<string, Feed>();
  readonly #wakeListeners = new Set<(runId: string) => unknown>();

  /** Both connections must be patient; they stay the caller's to close. */
  constructor(reader: AnnealRedis, subscriber: Redis) {
    this.#reader = reader;
    this.#subscriber = subscriber;
    subscriber.on("message", (_channel, runId: string) => {
      this.#feeds.get(runId)?.wake();
      for (const listener of this.#wakeListeners) listener(runId);
    });
    // What was published while the subscription was away is lost; the logs are not.
    subscriber.on("ready", () => {
      for (const feed of this.#feeds.values()) feed.wake();
    });
  }

  async start(): Promise<void> {
    await this.#subscriber.subscribe(WAKE_CHANNEL);
  }

  /**
   * A cursor that, once resumed, delivers every entry of a run's log from step `from` on, stored and then live, until it is
   * closed. `from` is at most the number of committed steps.
   */
  follow(runId: string, from: number, sink: Sink): Cursor {
    let feed = this.#feeds.get(runId);
    if (feed === undefined) {
      feed = new Feed(this.#reader, runId, () => this.#feeds.delete(runId));
      this.#feeds.set(runId, feed);
    }
    return feed.add(positionBefore(from), sink);
  }

  /** Calls back with the id of each record that changes, about as often as it is committed to. Returns how to stop that. */
  onWake(listener: (runId: string) => unknown): () => void {
    this.#wakeListeners.add(listener);
    return () => this.#wakeListeners.delete(listener);
  }

  get cursorCount(): number {
    let count = 0;
    for (const feed of this.#feeds.values()) count += feed.size;
    return count;
  }
}

/** The newest entries of one run, and its readers. */
class Feed {
  readonly #redis: AnnealRedis;
  readonly #runId: string;
  readonly #onEmpty: () => void;
  readonly #cursors = new Set<Cursor>();
  /** Consecutive entries that end at the last one read; kept[0] follows the position #keptAfter. */
  #kept: LogEntry[] = [];
  #keptAfter: string | null = null;
  #reading = false;
  #woken = false;

  constructor(redis: AnnealRedis, runId: string, onEmpty: () => void) {
    this.#redis = redis;
    this.#runId = runId;
    this.#onEmpty = onEmpty;
  }

  get size(): number {
    return this.#cursors.size;
  }

  add(position: string, sink: Sink): Cursor {
    const cursor = new Cursor(this, position, sink);
    this.#cursors.add(cursor);
    return cursor;
  }

  remove(cursor: Cursor): void {
    if (this.#cursors.delete(cursor) && this.#cursors.size === 0) this.#onEmpty();
  }

  /** The log has grown: reads what is new, once for all, and moves the cursors that wait for it. */
  async wake(): Promise<void> {
    this.#woken = true;
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#woken && this.#keptAfter !== null) {
        this.#woken = false;
        const after = this.#kept.at(-1)?.id ?? this.#keptAfter;
        const entries = await readLog(this.#redis, this.#runId, after, PAGE);
        if (entries.length === PAGE) this.#woken = true;
        if (entries.length === 0 && (await this.#redis.exists(runKey(this.#runId))) === 0) return this.#gone();
        this.#keep(entries);
        for (const cursor of this.#cursors) cursor.resume();
      }
    } catch {
      // The connection was closed for good: there is nobody left to tell.
    } finally {
      this.#reading = false;
    }
  }

  #keep(entries: readonly LogEntry[]): void {
    this.#kept.push(...entries);
    let surplus = 0;
    let steps = this.#kept.reduce((sum, entry) => sum + stepsIn(entry), 0);
    while (this.#kept.length - surplus > 1 && (steps > KEPT_STEPS || this.#kept.length - surplus > KEPT)) {
      steps -= stepsIn(this.#kept[surplus++]!);
    }
    if (surplus === 0) return;
    this.#keptAfter = this.#kept[surplus - 1]!.id;
    this.#kept = this.#kept.slice(surplus);
  }

  #gone(): void {
    for (const cursor of [...this.#cursors]) cursor.gone();
  }

  /** The kept entries after a position; null when memory does not reach back that far. */
  kept(position: string): readonly LogEntry[] | null {
    if (this.#keptAfter === null) return null;
    const last = this.#kept.findLastIndex((entry) => entry.id === position);
    if (last >= 0) return this.#kept.slice(last + 1);
    if (comparePositions(position, this.#keptAfter) < 0) return null;
    return this.#kept.filter((entry) => comparePositions(entry.id, position) > 0);
  }

  async read(position: string): Promise<LogEntry[]> {
    const entries = await readLog(this.#redis, this.#runId, position, PAGE);
    if (entries.length === 0) {
      // The first reader to reach the end of the log makes it the place where live reading begins.
      this.#keptAfter ??= position;
      void this.wake();
    }
    return entries;
  }
}

/** One reader of one run. */
export class Cursor {
  readonly #feed: Feed;
  readonly #sink: Sink;
  #position: string;
  #reading = false;
  #closed = false;

  constructor(feed: Feed, position: string, sink: Sink) {
    this.#feed = feed;
    this.#position = position;
    this.#sink = sink;
  }

  /** Delivers what there is, as far as the sink takes it. Call it when the sink has become writable. */
  resume(): void {
    if (this.#reading) return;
    while (!this.#closed && this.#sink.writable()) {
      const entries = this.#feed.kept(this.#position);
      if (entries === null) return void this.#catchUp();
      if (entries.length === 0) {
        this.#sink.caughtUp?.();
        return;
      }
      this.#deliver(entries);
    }
  }

  async #catchUp(): Promise<void> {
    this.#reading = true;
    try {
      const entries = await this.#feed.read(this.#position);
      if (entries.length === 0) return;
      this.#deliver(entries);
    } catch {
      // As in Feed.wake.
      return;
    } finally {
      this.#reading = false;
    }
    // Not from inside the promise chain of the read: a long catch-up must let others in.
    setImmediate(() => this.resume());
  }

  #deliver(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (this.#closed || !this.#sink.writable()) return;
      this.#position = entry.id;
      this.#sink.send(entry);
    }
  }

  gone(): void {
    if (this.#closed) return;
    this.close();
    this.#sink.gone();
  }

  close(): void {
    this.#closed = true;
    this.#feed.remove(this);
  }
}

function stepsIn(entry: LogEntry): number {
  return entry.kind === "chunk" ? entry.chunk.lr.length * (1 + (entry.chunk.replicas?.length ?? 0)) : 1;
}

/** Orders "<step>-<n>" positions. */
function comparePositions(a: string, b: string): number {
  const [stepA, countA] = a.split("-");
  const [stepB, countB] = b.split("-");
  return Number(stepA) - Number(stepB) || Number(countA) - Number(countB);
}
