import { DelayedError, type Job, Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { Webhook } from "standardwebhooks";
import { kindOf, RECORD_KINDS } from "../schemas/record-kinds.js";
import type { DueEvent, EventRef, WebhookEvent } from "../schemas/webhook.js";
import { Receivers } from "./receivers.js";
import { sendWebhook } from "./send-webhook.js";

/** What delivery needs of the store. */
export interface Events {
  outbox(most: number): Promise<readonly { readonly entry: string; readonly ref: EventRef }[]>;
  handedOut(entries: readonly string[]): Promise<void>;
  due(ref: EventRef): Promise<DueEvent | null>;
  settle(ref: EventRef, outcome: "delivered" | "failed" | "tried", error: string | null): Promise<number>;
}

export interface WebhookWorkerOptions {
  readonly events: Events;
  /** Patient connection; stays the caller's to close. */
  readonly connection: Redis;
  /** As of the RunQueue. */
  readonly prefix: string;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  /** After the first attempt that failed; each further wait is twice as long, give or take a quarter. */
  readonly retryMs: number;
  /** May receivers have addresses that are not public? */
  readonly privateToo: boolean;
  readonly onError: (error: unknown) => void;
}

/** In a process; they do little but wait. */
const DELIVERIES_AT_ONCE = 32;
/** Between looks for events that have no job. */
const LOOK_MS = 500;
const PAGE = 200;
/** At the default of 5 s they take a day: the last waits are six hours each. */
const ATTEMPTS = 16;
const LONGEST_WAIT = 4320;

/**
 * Tells receivers what has happened to their records, in a queue of its own. An event is noted in the script that makes it,
 * and stays so until it is settled: jobs, which are named by it, only say when it is tried. So it is told at least once, with
 * the same webhook-id each time, whichever process dies.
 */
export class WebhookWorker {
  readonly #options: WebhookWorkerOptions;
  readonly #queue: Queue<EventRef>;
  readonly #worker: Worker<EventRef>;
  readonly #receivers = new Receivers();
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #handingOut: Promise<void> | null = null;

  /** It works from now on. */
  constructor(options: WebhookWorkerOptions) {
    this.#options = options;
    const { connection, prefix, lockDurationMs, stalledIntervalMs, onError } = options;
    this.#queue = new Queue("webhooks", { connection, prefix, skipVersionCheck: true });
    this.#queue.on("error", () => {});
    this.#worker = new Worker("webhooks", (job, token) => this.#deliver(job, token), {
      connection,
      prefix,
      concurrency: DELIVERIES_AT_ONCE,
      lockDuration: lockDurationMs,
      stalledInterval: stalledIntervalMs,
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      drainDelay: 5,
      runRetryDelay: 1000,
    });
    this.#worker.on("error", onError);
    this.#timer = setInterval(() => void this.#handOut(), LOOK_MS);
  }

  /** Gives jobs to the events whose turn it is. */
  #handOut(): Promise<void> {
    this.#handingOut ??= this.#handOutAll()
      .catch(this.#options.onError)
      .finally(() => {
        this.#handingOut = null;
      });
    return this.#handingOut;
  }

  async #handOutAll(): Promise<void> {
    const { events } = this.#options;
    for (;;) {
      const found = await events.outbox(PAGE);
      if (found.length === 0) return;
      await this.#queue.addBulk(found.map(({ ref }) => this.#jobOf(ref)));
      await events.handedOut(found.map(({ entry }) => entry));
    }
  }

  #jobOf(ref: EventRef) {
    const jobId = `${ref.id}-${ref.sequence}-${ref.round}`;
    // What the receiver does is counted in the store; a job fails only where Redis does.
    const again = { attempts: Number.MAX_SAFE_INTEGER, backoff: { type: "fixed", delay: this.#options.retryMs } };
    return { name: "deliver", data: ref, opts: { jobId, ...again, removeOnComplete: true, removeOnFail: true } };
  }

  async #deliver(job: Job<EventRef>, token?: string): Promise<void> {
    const { events, privateToo, retryMs } = this.#options;
    const ref = job.data;
    const later = async (ms: number): Promise<never> => {
      await job.moveToDelayed(Date.now() + ms, token);
      throw new DelayedError();
    };
    const due = await events.due(ref);
    if (due === null) return;
    if (due.to === null) return void (await events.settle(ref, "failed", "the tenant has no webhook any more"));
    const { url, secret } = due.to;
    const origin = URL.canParse(url) ? new URL(url).origin : url;
    const wait = this.#receivers.enter(origin, Date.now());
    if (wait > 0) return later(wait);
    const began = performance.now();
    const sent = await sendWebhook({
      ...signed(ref, due, secret),
      ...{ url, privateToo, stop: this.#stop.signal },
      isDue: async () => (await events.due(ref)) !== null,
    }).finally(() => this.#receivers.leave(origin, Date.now(), performance.now() - began));
    if (sent === "moot") return;
    if (sent !== "delivered") {
      // Its attempt was cut off by this process alone.
      if (this.#stop.signal.aborted) return later(0);
      const tries = sent.forGood ? ATTEMPTS : await events.settle(ref, "tried", sent.error);
      if (tries === 0) return;
      if (tries < ATTEMPTS) {
        const factor = Math.min(2 ** (tries - 1), LONGEST_WAIT);
        return later(retryMs * factor * (0.75 + Math.random() / 2));
      }
    }
    if (sent === "delivered") await events.settle(ref, sent, null);
    else await events.settle(ref, "failed", sent.error);
    await this.#handOut();
  }

  /** Attempts under way are cut off, and made again elsewhere. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#worker.pause(true);
    this.#stop.abort();
    await this.#worker.close();
    await this.#handingOut;
    await this.#queue.close();
  }
}

function signed({ id, sequence }: EventRef, { status, at, reason, name }: DueEvent, secret: string) {
  const kind = kindOf(id)!;
  const path = `/v1/${RECORD_KINDS[kind].index}/${id}`;
  const event: WebhookEvent = {
    type: `${kind}.${status}`,
    timestamp: new Date(at).toISOString(),
    data: { id, status, sequence, reason, name, path },
  };
  const body = JSON.stringify(event);
  const [messageId, sentAt] = [`${id}-${sequence}`, new Date()];
  return {
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": "anneal",
      "webhook-id": messageId,
      "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
      "webhook-signature": new Webhook(secret).sign(messageId, sentAt, body),
    },
  };
}
