import { createHash } from "node:crypto";
import { Type } from "typebox";
import { LIMITS } from "../schemas/limits.js";
import { strict } from "../schemas/strict.js";
import type { AnnealRedis } from "./connect.js";
import type { OnceStore } from "./contract.js";
import { onceAnswerKey, onceKey } from "./keys.js";
import { parserOf } from "./stored.js";

const parseEntry = parserOf("once", Type.Object({ id: Type.String(), request: Type.String() }, strict));

/** Redis sees no key and no request, only what tells them apart, of a fixed size. */
const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url");

export class RedisOnceStore implements OnceStore {
  readonly #redis: AnnealRedis;
  readonly #tenant: string;

  constructor(redis: AnnealRedis, tenant: string) {
    this.#redis = redis;
    this.#tenant = tenant;
  }

  async begin(key: string, id: string, request: string): Promise<{ id: string; fresh: boolean } | "other"> {
    const asked = digestOf(request);
    const known = await this.#setOnce(onceKey(digestOf(key), this.#tenant), JSON.stringify({ id, request: asked }));
    if (known === null) return { id, fresh: true };
    const entry = parseEntry(known);
    return entry.request === asked ? { id: entry.id, fresh: false } : "other";
  }

  answer(id: string): Promise<string | null> {
    return this.#redis.get(onceAnswerKey(id));
  }

  async complete(id: string, answer: string): Promise<string> {
    return (await this.#setOnce(onceAnswerKey(id), answer)) ?? answer;
  }

  /** Returns what was there before, which stays; null: nothing was. */
  #setOnce(key: string, value: string): Promise<string | null> {
    return this.#redis.set(key, value, "EX", LIMITS.idempotencySeconds, "NX", "GET");
  }
}
