import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { ChainableCommander } from "ioredis";
import { SCOPES, type Scope } from "../schemas/api-key.js";
import { DEFAULT_TENANT } from "../schemas/tenant.js";
import { RedisClock } from "./clock.js";
import type { AnnealRedis } from "./connect.js";
import type { ApiKeyRecord, ApiKeyStore } from "./contract.js";
import { API_KEYS_KEY, API_KEYS_USED_KEY, apiKeyKey, sessionKey } from "./keys.js";
import { replicated } from "./replication.js";
import { StoredHash } from "./stored.js";

/** `anneal_<id>_<secret>`: the prefix lets people and scanners tell what has leaked. */
const TOKEN = /^anneal_([0-9a-z]{16})_([\w-]{43})$/;
const DAY_MS = 86_400_000;
const SESSION_SECONDS = 12 * 3600;
/** `lastUsedAt` is written this seldom, so that reading costs no write. */
const USE_MS = 60_000;

/** A secret has 256 random bits, so that one round of SHA-256 keeps it. */
const digestOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** The keys to the API in Redis: digests, never a key itself. */
export class RedisApiKeyStore implements ApiKeyStore {
  readonly #redis: AnnealRedis;
  readonly #clock: RedisClock;

  constructor(redis: AnnealRedis) {
    this.#redis = redis;
    this.#clock = new RedisClock(redis);
  }

  async create(
    name: string,
    scope: Scope,
    days: number | null,
    tenant = DEFAULT_TENANT,
  ): Promise<{ record: ApiKeyRecord; key: string }> {
    const id = Array.from(randomBytes(16), (byte) => (byte % 36).toString(36)).join("");
    const createdAt = await this.#clock.now();
    const { key, digest } = newSecret(id);
    const fields: Record<string, string> = { id, name, scope, tenant, digest, createdAt: String(createdAt) };
    if (days !== null) fields.expiresAt = String(createdAt + days * DAY_MS);
    await this.#write((redis) => redis.hset(apiKeyKey(id), fields).zadd(API_KEYS_KEY, String(createdAt), id));
    return { record: toRecord(fields), key };
  }

  async list(): Promise<ApiKeyRecord[]> {
    const records = await Promise.all((await this.#redis.zrange(API_KEYS_KEY, "0", "-1")).map((id) => this.get(id)));
    return records.filter((record) => record !== null);
  }

  async get(id: string): Promise<ApiKeyRecord | null> {
    const [hash, usedAt] = await Promise.all([
      this.#redis.hgetall(apiKeyKey(id)),
      this.#redis.hget(API_KEYS_USED_KEY, id),
    ]);
    return hash.id === undefined ? null : toRecord({ ...hash, ...(usedAt !== null && { lastUsedAt: usedAt }) });
  }

  async rotate(id: string): Promise<{ record: ApiKeyRecord; key: string } | null> {
    const record = await this.get(id);
    if (record === null) return null;
    const { key, digest } = newSecret(id);
    await this.#write((redis) => redis.hset(apiKeyKey(id), { digest }));
    return { record, key };
  }

  async revoke(id: string): Promise<boolean> {
    const replies = await this.#write((redis) =>
      redis.del(apiKeyKey(id)).zrem(API_KEYS_KEY, id).hdel(API_KEYS_USED_KEY, id),
    );
    return replies[0]![1] === 1;
  }

  async find(key: string): Promise<ApiKeyRecord | null> {
    const [, id, secret] = TOKEN.exec(key) ?? [];
    if (id === undefined || secret === undefined) return null;
    const record = await this.get(id);
    const matches = record !== null && timingSafeEqual(Buffer.from(record.digest), Buffer.from(digestOf(secret)));
    return matches ? this.#live(record) : null;
  }

  async #live(record: ApiKeyRecord): Promise<ApiKeyRecord | null> {
    const now = await this.#clock.now();
    if (record.expiresAt !== null && record.expiresAt <= now) return null;
    if (now - (record.lastUsedAt ?? 0) > USE_MS) {
      // A hint for people: it may be lost.
      this.#redis.hset(API_KEYS_USED_KEY, record.id, String(now)).catch(() => {});
    }
    return record;
  }

  async beginSession({ id, digest }: ApiKeyRecord): Promise<string> {
    const token = randomBytes(32).toString("base64url");
    await this.#write((redis) => redis.set(sessionKey(digestOf(token)), `${id} ${digest}`, "EX", SESSION_SECONDS));
    return token;
  }

  async findSession(token: string): Promise<ApiKeyRecord | null> {
    const [id, digest] = (await this.#redis.get(sessionKey(digestOf(token))))?.split(" ") ?? [];
    const record = id === undefined ? null : await this.get(id);
    // A key that was rotated has leaked: what it began ends with it.
    return record === null || record.digest !== digest ? null : this.#live(record);
  }

  async endSession(token: string): Promise<void> {
    await this.#write((redis) => redis.del(sessionKey(digestOf(token))));
  }

  /** All or nothing, and with as many replicas as are required: a key that was revoked must not live again after a failover. */
  async #write(changes: (redis: ChainableCommander) => ChainableCommander): Promise<[Error | null, unknown][]> {
    const done = changes(this.#redis.multi()).exec();
    const [replies] = await Promise.all([done, replicated(this.#redis)]).catch((error) => {
      // Discarded as a whole: what was said of the first command says why.
      throw (error as { previousErrors?: Error[] }).previousErrors?.[0] ?? error;
    });
    return replies!;
  }
}

function newSecret(id: string): { readonly key: string; readonly digest: string } {
  const secret = randomBytes(32).toString("base64url");
  return { key: `anneal_${id}_${secret}`, digest: digestOf(secret) };
}

function toRecord(fields: Record<string, string>): ApiKeyRecord {
  const hash = new StoredHash(fields);
  const scope = SCOPES.find((known) => known === hash.text("scope"));
  if (scope === undefined) throw new Error(`the stored key ${hash.text("id")} has no scope`);
  return {
    ...{ id: hash.text("id"), name: hash.text("name"), scope, createdAt: hash.number("createdAt") },
    tenant: hash.textOrNull("tenant") ?? DEFAULT_TENANT,
    expiresAt: hash.numberOrNull("expiresAt"),
    lastUsedAt: hash.numberOrNull("lastUsedAt"),
    digest: hash.text("digest"),
  };
}
