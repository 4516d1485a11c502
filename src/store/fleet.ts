import { Type } from "typebox";
import { strict } from "../schemas/strict.js";
import { RedisClock } from "./clock.js";
import type { AnnealRedis } from "./connect.js";
import type { Fleet } from "./contract.js";
import { SLOTS_KEY, SPEED_KEY } from "./keys.js";
import { call } from "./scripts.js";
import { parserOf } from "./stored.js";

const parseSlots = parserOf("worker", Type.Object({ slots: Type.Integer(), till: Type.Number() }, strict));

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

  async heartbeat(worker: string, host: string, slots: number, ttlSeconds: number): Promise<void> {
    await call(this.#redis, "annealHeartbeat", { worker, host, slots, ttl: ttlSeconds });
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
