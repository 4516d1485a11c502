import { LIMITS } from "../schemas/limits.js";
import type { AnnealRedis } from "./connect.js";
import type { AuditStore, Deed } from "./contract.js";
import { auditKey } from "./keys.js";

/** Entries of the last moment go together, for one fsync. */
const TOGETHER_MS = 100;
/** While Redis is away no more are kept. */
const MOST_WAITING = 10_000;

/** A stream for each tenant in Redis, of the newest LIMITS.auditEntries, about. */
export class RedisAuditStore implements AuditStore {
  readonly #redis: AnnealRedis;
  #waiting: Deed[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(redis: AnnealRedis) {
    this.#redis = redis;
  }

  note(deed: Deed): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(deed);
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), TOGETHER_MS).unref();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const deeds = this.#waiting.splice(0);
    const add = ({ tenant, at, ...deed }: Deed) =>
      this.#redis.xadd(
        auditKey(tenant),
        "MAXLEN",
        "~",
        LIMITS.auditEntries,
        "*",
        "deed",
        JSON.stringify({ at, ...deed }),
      );
    await Promise.all(deeds.map(add));
  }

  async list(tenant: string, after: string | null, limit: number): Promise<(Deed & { readonly id: string })[]> {
    const found = await this.#redis.xrevrange(
      auditKey(tenant),
      after === null ? "+" : `(${after}`,
      "-",
      "COUNT",
      limit,
    );
    return found.map(([id, [, text]]) => ({ id, tenant, ...(JSON.parse(text!) as Omit<Deed, "tenant">) }));
  }
}
