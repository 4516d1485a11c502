import { RUN_STATUSES } from "../schemas/status.js";
import { DEFAULT_TENANT } from "../schemas/tenant.js";
import { type Deliveries, type DueEvent, type EventRef, StoredEventSchema, type Webhook } from "../schemas/webhook.js";
import type { AnnealRedis } from "./connect.js";
import type { WebhookStore } from "./contract.js";
import { OUTBOX_KEY, runKey, tenantWebhookKey, webhookEventsKey, webhookKey } from "./keys.js";
import { call } from "./scripts.js";
import { parserOf } from "./stored.js";

const parseEvent = parserOf("event", StoredEventSchema);

const statusesOf = (text: string) => RUN_STATUSES.filter((status) => text.includes(` ${status} `));

/** The webhooks in Redis; `tenant` as of the stores of records. */
export class RedisWebhookStore implements WebhookStore {
  readonly #redis: AnnealRedis;
  readonly #tenant: string | null;

  constructor(redis: AnnealRedis, tenant: string | null = null) {
    this.#redis = redis;
    this.#tenant = tenant;
  }

  async #has(id: string): Promise<boolean> {
    const [there, tenant] = await this.#redis.hmget(runKey(id), "id", "tenant");
    return there != null && (this.#tenant === null || (tenant ?? DEFAULT_TENANT) === this.#tenant);
  }

  async get(id: string): Promise<Deliveries | null> {
    const [has, hook, pending] = await Promise.all([
      this.#has(id),
      this.#redis.hmget(webhookKey(id), "events", "url", "delivered", "failed", "lastError"),
      this.#redis.llen(webhookEventsKey(id)),
    ]);
    const [events, url = null, delivered, failed, lastError = null] = hook;
    if (!has || events == null) return null;
    const [done, lost] = [Number(delivered ?? 0), Number(failed ?? 0)];
    return { url, events: statusesOf(events), delivered: done, pending, failed: lost, lastError };
  }

  async redeliver(id: string): Promise<boolean> {
    return (await this.#has(id)) && (await call(this.#redis, "annealRedeliver", { id })) === "ok";
  }

  /** Of everything that the tenant makes from now on without one of its own; null: none. */
  async setTenants(tenant: string, webhook: Webhook | null): Promise<void> {
    const key = tenantWebhookKey(tenant);
    if (webhook === null) return void (await this.#redis.del(key));
    const { url, secret, events } = webhook;
    await this.#redis.hset(key, { url, secret, events: ` ${events.join(" ")} ` });
  }

  /** null: it has none. The secret is not told. */
  async tenants(tenant: string): Promise<Omit<Webhook, "secret"> | null> {
    const [url, events] = await this.#redis.hmget(tenantWebhookKey(tenant), "url", "events");
    return url == null ? null : { url, events: statusesOf(events ?? "") };
  }

  /** Events whose turn it is, oldest first; each comes again until it is `handedOut`. */
  async outbox(most: number): Promise<{ readonly entry: string; readonly ref: EventRef }[]> {
    const entries = await this.#redis.xrange(OUTBOX_KEY, "-", "+", "COUNT", most);
    return entries.map(([entry, fields]) => {
      const { id, sequence, round } = Object.fromEntries(
        Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]]),
      );
      return { entry, ref: { id, sequence: Number(sequence), round: Number(round) } };
    });
  }

  async handedOut(entries: readonly string[]): Promise<void> {
    await this.#redis.xdel(OUTBOX_KEY, ...entries);
  }

  /** null: it is settled, or its record is gone. Not atomic. */
  async due({ id, sequence, round }: EventRef): Promise<DueEvent | null> {
    const [hook, first, record] = await Promise.all([
      this.#redis.hmget(webhookKey(id), "round", "url", "secret", `event:${sequence}`),
      this.#redis.lindex(webhookEventsKey(id), 0),
      this.#redis.hmget(runKey(id), "spec", "name", "tenant"),
    ]);
    const [currentRound, url, secret, event] = hook;
    const [spec, name, tenant] = record;
    if (spec == null || event == null || Number(currentRound) !== round || Number(first) !== sequence) return null;
    const { status, at, reason = null } = parseEvent(event);
    const named = name == null ? ((JSON.parse(spec) as { name: string | null }).name ?? null) : name || null;
    const to = url != null && secret != null ? { url, secret } : await this.#tenantsReceiver(tenant ?? DEFAULT_TENANT);
    return { to, status, at, reason, name: named };
  }

  async #tenantsReceiver(tenant: string): Promise<DueEvent["to"]> {
    const [url, secret] = await this.#redis.hmget(tenantWebhookKey(tenant), "url", "secret");
    return url == null || secret == null ? null : { url, secret };
  }

  /** How often it has been tried in vain; 0: it is settled, or was already. "failed": given up; "tried": to be tried again. */
  async settle(
    { id, sequence, round }: EventRef,
    outcome: "delivered" | "failed" | "tried",
    error: string | null,
  ): Promise<number> {
    const args = { id, sequence: String(sequence), round: String(round), outcome, error };
    return call(this.#redis, "annealSettleEvent", args);
  }
}
