import type { Redis } from "ioredis";
import type { AnnealRedis } from "./connect.js";
import type { Cursor, LogEntry, Sink, Tail, Watcher } from "./contract.js";
import { WAKE_CHANNEL } from "./keys.js";
import { isBefore, lastId, positionBefore, readLog } from "./log.js";
import { patiently } from "./patience.js";

/** Entries read at once. */
const PAGE = 16;
/** Steps, over all replicas, in the entries of a run that are kept in memory: some seconds of a run at full speed. */
const KEPT_STEPS = 262_144;
/** An entry without steps takes memory too. */
const ENTRY_STEPS = 256;
/** Both connections may have nothing to ask for long: without a ping, a dead socket would look like runs that stand still. */
const PING_INTERVAL_MS = 2000;

/**
 * Follows the logs of runs for any number of readers, with one subscription and one read per run, however many they are.
 * A reader is a position, and asks for the entry after it: from memory where another reader has just had it, else from
 * Redis, where all who wait for the same page share one read. Nothing is queued for a slow reader.
 */
export class RedisTail implements Tail {
  readonly #reader: AnnealRedis;
  readonly #subscriber: Redis;
  readonly #feeds = new Map<string, Feed>();
  readonly #watchers = new Set<Watcher>();

  /** Both connections must be listening ones; they stay the caller's to close. */
  constructor(reader: AnnealRedis, subscriber: Redis) {
    this.#reader = reader;
    this.#subscriber = subscriber;
    subscriber.on("message", (_channel, runId: string) => {
      this.#feeds.get(runId)?.wake();
      for (const watcher of this.#watchers) watcher.changed(runId);
    });
    // What was published while the subscription was away is lost; the logs are not.
    subscriber.on("ready", () => {
      for (const feed of this.#feeds.values()) feed.wake();
      for (const watcher of this.#watchers) watcher.missed();
    });
  }

  async start(): Promise<void> {
    await this.#subscriber.subscribe(WAKE_CHANNEL);
    const ping = () => {
      for (const connection of [this.#reader, this.#subscriber]) {
        if (connection.status === "ready") connection.ping().catch(() => {});
      }
    };
    const pinging = setInterval(ping, PING_INTERVAL_MS);
    this.#subscriber.once("end", () => clearInterval(pinging));
  }

  follow(runId: string, from: number, sink: Sink): Cursor {
    let feed = this.#feeds.get(runId);
    if (feed === undefined) {
      feed = new Feed(this.#reader, runId, () => this.#feeds.delete(runId));
      this.#feeds.set(runId, feed);
    }
    return feed.add(positionBefore(from), sink);
  }

  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  lags(): number[] {
    return [...this.#feeds.values()].flatMap((feed) => feed.lags());
  }
}

/** The entries of one run that were read last, and its readers. */
class Feed {
  readonly #redis: AnnealRedis;
  readonly #runId: string;
  readonly #onEmpty: () => void;
  readonly #cursors = new Set<FeedCursor>();
  /** By position, the entry that comes next after it; oldest reading first. */
  readonly #after = new Map<string, LogEntry>();
  #keptSteps = 0;
  /** The last entry of the log as far as it has been read; null until a reader has come to the end. */
  #head: string | null = null;
  /** Reads under way, by the position that they begin after. */
  readonly #pages = new Map<string, Promise<LogEntry[]>>();
  #waking = false;
  #woken = false;

  constructor(redis: AnnealRedis, runId: string, onEmpty: () => void) {
    this.#redis = redis;
    this.#runId = runId;
    this.#onEmpty = onEmpty;
  }

  /** How many steps each reader is behind the newest entry that has been read; of a search, tasks. */
  lags(): number[] {
    const head = Number.parseInt(this.#head ?? "0", 10);
    return [...this.#cursors].map(({ position }) => Math.max(0, head - Number.parseInt(position, 10)));
  }

  add(position: string, sink: Sink): FeedCursor {
    const cursor = new FeedCursor(this, position, sink);
    this.#cursors.add(cursor);
    return cursor;
  }

  remove(cursor: FeedCursor): void {
    if (this.#cursors.delete(cursor) && this.#cursors.size === 0) this.#onEmpty();
  }

  /** The log has grown: reads what is new, once for all, and moves the cursors that wait for it. */
  async wake(): Promise<void> {
    this.#woken = true;
    if (this.#waking) return;
    this.#waking = true;
    try {
      while (this.#woken && this.#head !== null) {
        this.#woken = false;
        const entries = await this.#page(this.#head);
        if (entries.length === PAGE) this.#woken = true;
        if (entries.length === 0) {
          const last = await lastId(this.#redis, this.#runId);
          if (last === null) return this.#gone();
          if (isBefore(last, this.#head)) this.#rollBack(last);
        }
        this.#head = entries.at(-1)?.id ?? this.#head;
        for (const cursor of this.#cursors) cursor.resume();
      }
    } catch {
      // The connection was closed for good: there is nobody left to tell.
    } finally {
      this.#waking = false;
    }
  }

  /** What is in memory, and where readers stand, is of a log that is no more. */
  #rollBack(last: string): void {
    this.#head = last;
    this.#after.clear();
    this.#keptSteps = 0;
    for (const cursor of this.#cursors) cursor.rollBack(last);
  }

  #gone(): void {
    for (const cursor of [...this.#cursors]) cursor.gone();
  }

  /** The entry after a position, if it is in memory. */
  next(position: string): LogEntry | undefined {
    return this.#after.get(position);
  }

  isHead(position: string): boolean {
    return position === this.#head;
  }

  /** Brings the entries after a position into memory; false: there is none yet, and the next wake will be told of. */
  async load(position: string): Promise<boolean> {
    if ((await this.#page(position)).length > 0) return true;
    // The first reader to come to the end of the log makes it the place where live reading begins.
    this.#head ??= position;
    void this.wake();
    return false;
  }

  #page(position: string): Promise<LogEntry[]> {
    let page = this.#pages.get(position);
    if (page === undefined) {
      page = this.#read(position).finally(() => this.#pages.delete(position));
      this.#pages.set(position, page);
    }
    return page;
  }

  async #read(position: string): Promise<LogEntry[]> {
    const entries = await patiently(() => readLog(this.#redis, this.#runId, position, PAGE));
    let before = position;
    for (const entry of entries) {
      this.#keptSteps += stepsIn(entry) - stepsIn(this.#after.get(before));
      this.#after.delete(before);
      this.#after.set(before, entry);
      before = entry.id;
    }
    for (const [first, entry] of this.#after) {
      if (this.#keptSteps <= KEPT_STEPS || this.#after.size <= PAGE) break;
      this.#after.delete(first);
      this.#keptSteps -= stepsIn(entry);
    }
    return entries;
  }
}

/** One reader of one run. */
class FeedCursor implements Cursor {
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

  get position(): string {
    return this.#position;
  }

  resume(): void {
    if (this.#reading) return;
    while (!this.#closed && this.#sink.hasRoom()) {
      const entry = this.#feed.next(this.#position);
      if (entry !== undefined) {
        this.#position = entry.id;
        this.#sink.send(entry);
      } else if (this.#feed.isHead(this.#position)) {
        this.#sink.caughtUp?.();
        return;
      } else {
        void this.#load();
        return;
      }
    }
  }

  async #load(): Promise<void> {
    this.#reading = true;
    let more = false;
    try {
      more = await this.#feed.load(this.#position);
    } catch {
      // As in Feed.wake.
    } finally {
      this.#reading = false;
    }
    // Not from inside the promise chain of the read: a long catch-up must let others in.
    if (more) setImmediate(() => this.resume());
  }

  rollBack(last: string): void {
    if (this.#closed || !isBefore(last, this.#position)) return;
    this.#position = last;
    this.#sink.rolledBack?.(Number.parseInt(last, 10));
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

function stepsIn(entry: LogEntry | undefined): number {
  if (entry === undefined) return 0;
  if (entry.kind !== "chunk") return ENTRY_STEPS;
  return ENTRY_STEPS + entry.chunk.lr.length * (1 + (entry.chunk.replicas?.length ?? 0));
}
