import { Type } from "typebox";
import { type StoredWorker, StoredWorkerSchema } from "../schemas/stored.js";
import { strict } from "../schemas/strict.js";
import { RedisClock } from "./clock.js";
import type { AnnealRedis } from "./connect.js";
import type { Fleet } from "./contract.js";
import { FLEET_KEY, SLOTS_KEY, SPEED_KEY } from "./keys.js";
import { call } from "./scripts.js";
import { parserOf } from "./stored.js";

const parseWorker = parserOf("worker", StoredWorkerSchema);
const parseSlots = parserOf("slots", Type.Object({ slots: Type.Integer(), till: Type.Number() }, strict));

/** Of a new measurement of the speed: the last ten or so count. */
const WEIGHT = 0.2;

/** The workers, as Redis knows them. */
export class RedisFleet implements Fleet {
  readonly #redis: AnnealRedis;
  readonly #clock: RedisClock;

  constructor(redis: AnnealRedis) {
    this.#redis = redis;
    this.#clock = new RedisClock(redis);
  }

  async heartbeat(worker: string, slots: number, ttlSeconds: number, facts: StoredWorker): Promise<void> {
    await call(this.#redis, "annealHeartbeat", { worker, slots, ttl: ttlSeconds, facts });
  }

  async workers(): Promise<{ worker: string; slots: number; seenAt: number; facts: StoredWorker }[]> {
    const [slots, facts, now] = await Promise.all([
      this.#redis.hgetall(SLOTS_KEY),
      this.#redis.hgetall(FLEET_KEY),
      this.#clock.now(),
    ]);
    return Object.entries(facts)
      .sort()
      .flatMap(([worker, text]) => {
        const alive = slots[worker] === undefined ? null : parseSlots(slots[worker]);
        if (alive === null || alive.till <= now) return [];
        const facts = parseWorker(text);
        return [{ worker, slots: alive.slots, seenAt: alive.till - facts.ttl * 1000, facts }];
      });
  }

  async slots(): Promise<number> {
    const [workers, now] = await Promise.all([this.#redis.hvals(SLOTS_KEY), this.#clock.now()]);
    return workers.map(parseSlots).reduce((sum, { slots, till }) => sum + (till > now ? slots : 0), 0);
  }

  async noteSpeed(engine: string, ratio: number): Promise<void> {
    await call(this.#redis, "annealNoteSpeed", { engine, ratio, weight: WEIGHT });
  }

  async speed(engine: string): Promise<number | null> {
    const ratio = await this.#redis.hget(SPEED_KEY, engine);
    return ratio === null ? null : Number(ratio);
  }
}
