import { QUOTA_NAMES, type Quotas } from "../schemas/quotas.js";
import { RedisClock } from "./clock.js";
import type { AnnealRedis } from "./connect.js";
import type { QuotaStore } from "./contract.js";
import { quotasKey, statusKey, useKey } from "./keys.js";

const DAY_MS = 86_400_000;

/** The tenants' quotas in Redis; src/store/lua/quota-helpers.lua holds them. */
export class RedisQuotaStore implements QuotaStore {
  readonly #redis: AnnealRedis;
  readonly #clock: RedisClock;

  constructor(redis: AnnealRedis) {
    this.#redis = redis;
    this.#clock = new RedisClock(redis);
  }

  async get(tenant: string): Promise<Quotas> {
    const values = await this.#redis.hmget(quotasKey(tenant), ...QUOTA_NAMES);
    return Object.fromEntries(
      QUOTA_NAMES.map((name, i) => [name, values[i] == null ? null : Number(values[i])]),
    ) as Quotas;
  }

  async set(tenant: string, change: Partial<Quotas>): Promise<void> {
    for (const [name, value] of Object.entries(change)) {
      if (value === null) await this.#redis.hdel(quotasKey(tenant), name);
      else await this.#redis.hset(quotasKey(tenant), name, String(value));
    }
  }

  async used(tenant: string): Promise<Omit<Quotas, "sockets"> & { readonly newDayAt: number }> {
    const [use, queued, now] = await Promise.all([
      this.#redis.hmget(useKey(tenant), "bytes", "steps", "day"),
      this.#redis.zcard(statusKey("queued", tenant)),
      this.#clock.now(),
    ]);
    const [bytes, steps, day] = use;
    const today = Math.floor(now / DAY_MS);
    return {
      queued,
      bytes: Number(bytes ?? 0),
      stepsPerDay: Number(day) === today ? Number(steps) : 0,
      newDayAt: (today + 1) * DAY_MS,
    };
  }
}
