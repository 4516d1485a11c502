import type { Deliveries } from "../schemas/webhook.js";
import { AnnealError } from "./errors.js";
import { type FollowOptions, follow, type Message } from "./follow.js";
import type { CallOptions, Http, Query } from "./http.js";

/** A page of a list, and the `after` of the next; null: there is none. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

interface Stored {
  readonly id: string;
  readonly finishedAt: string | null;
}

const webhookPath = (id: string) => `/v1/webhooks/${encodeURIComponent(id)}`;

/** What runs, searches and experiments have in common. `name`: of their path, and of the list in a page. */
export class Records<T extends Stored, Request, Filter extends Query, Listed = T> {
  protected readonly http: Http;
  readonly #name: string;

  constructor(http: Http, name: string) {
    this.http = http;
    this.#name = name;
  }

  protected path(id: string): string {
    return `/v1/${this.#name}/${encodeURIComponent(id)}`;
  }

  create(request: Request, options?: CallOptions): Promise<T> {
    return this.http.call<T>(`/v1/${this.#name}`, { method: "POST", json: request }, options);
  }

  get(id: string, options?: CallOptions): Promise<T> {
    return this.http.call<T>(this.path(id), {}, options);
  }

  /** Newest first. */
  async page(filter?: Filter & { readonly after?: string; readonly limit?: number }, options?: CallOptions) {
    const answer = await this.http.call<Record<string, unknown>>(`/v1/${this.#name}`, { query: filter }, options);
    return {
      items: answer[this.#name] as readonly Listed[],
      next: answer.next as string | null,
    } satisfies Page<Listed>;
  }

  /** All that a filter lets through, newest first, page by page as they are asked for. */
  async *list(filter?: Filter, options?: CallOptions): AsyncGenerator<Listed> {
    let after: string | null = "";
    while (after !== null) {
      const { items, next }: Page<Listed> = await this.page(
        { ...(filter as Filter), limit: 100, ...(after === "" ? {} : { after }) },
        options,
      );
      yield* items;
      after = next;
    }
  }

  /** How far its webhook is; rejects with "not found" where it has none. */
  deliveries(id: string, options?: CallOptions): Promise<Deliveries> {
    return this.http.call(webhookPath(id), {}, options);
  }

  /** Tells its webhook all its events so far again, in order, under the same names. */
  redeliver(id: string, options?: CallOptions): Promise<Deliveries> {
    return this.http.call(`${webhookPath(id)}/redeliver`, { method: "POST" }, options);
  }

  /** Repeating is harmless; rejects with a conflict where it is over. */
  cancel(id: string, options?: CallOptions): Promise<T> {
    return this.http.call<T>(`${this.path(id)}/cancel`, { method: "POST" }, options);
  }

  /** With all its data. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.http.call<null>(this.path(id), { method: "DELETE" }, options);
  }

  /** Every message from the beginning on, exactly once, whatever happens to the connection; the last is `end`. */
  messages(id: string, options?: FollowOptions): AsyncGenerator<Message> {
    return follow(this.http, this.path(id), options);
  }

  /** The record once it is over, however it ended. Rejects with "not-found" where it is deleted meanwhile. */
  async wait(id: string, options: CallOptions = {}): Promise<T> {
    const record = await this.get(id, options);
    if (record.finishedAt !== null) return record;
    for await (const { type } of follow(this.http, this.path(id), { ...options, ...this.quietly(record) })) {
      if (type === "end") break;
    }
    options.signal?.throwIfAborted();
    return this.whenThere(() => this.get(id, options), options);
  }

  /** How to hear of the end alone. */
  protected quietly(_record: T): FollowOptions {
    return {};
  }

  /** Asks again while the service is away: what was waited for is over, and shall not be lost to a restart. */
  protected async whenThere<R>(ask: () => Promise<R>, { signal }: CallOptions): Promise<R> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (signal?.aborted || (error instanceof AnnealError && !error.retryable)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }
}
