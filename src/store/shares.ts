import { DEFAULT_TENANT } from "../schemas/tenant.js";
import type { AnnealRedis } from "./connect.js";
import { QUEUE_PREFIX, runKey } from "./keys.js";
import { call } from "./scripts.js";

/** Of a turn: how long a run may have a worker while another owner waits, and how finely turns are counted, in seconds. */
export const SLICE_SECONDS = 1;
export const UNIT_SECONDS = 0.1;
/** What any turn costs, however short the run. */
const LEAST_SECONDS = 0.05;
const TURN = { unit: UNIT_SECONDS, slice: SLICE_SECONDS, least: LEAST_SECONDS };
/** BullMQ's lowest priority. */
const LAST_PLACE = 2_097_151;
const WAITING_KEY = `${QUEUE_PREFIX}:runs:prioritized`;

/** Who has had how much, and so who comes next: the places in the line are the priorities of BullMQ's jobs. */
export class RedisShares {
  readonly #redis: AnnealRedis;

  constructor(redis: AnnealRedis) {
    this.#redis = redis;
  }

  /** The places of runs' next turns. */
  async places(ids: readonly string[]): Promise<number[]> {
    const args = { ids, ...TURN, most: LAST_PLACE };
    return call(this.#redis, "annealShare", args, [WAITING_KEY]);
  }

  /** A turn begins that had this place; 0: it had none. */
  async serve(place: number): Promise<void> {
    if (place > 0) await call(this.#redis, "annealServe", { place });
  }

  /** A turn is over. */
  async charge(id: string, seconds: number): Promise<void> {
    await call(this.#redis, "annealCharge", { id, ...TURN, took: seconds });
  }

  /** Who a run's turns are counted for. */
  async owner(id: string): Promise<string> {
    const [tenant, parent] = await this.#redis.hmget(runKey(id), "tenant", "parent");
    return `${tenant ?? DEFAULT_TENANT} ${parent ?? "runs"}`;
  }

  /** The first of those that wait, by place. */
  async waiting(most: number): Promise<{ readonly id: string; readonly place: number }[]> {
    const flat = await this.#redis.zrange(WAITING_KEY, "0", String(most - 1), "WITHSCORES");
    return Array.from({ length: flat.length / 2 }, (_, i) => ({
      id: flat[2 * i]!.slice(0, flat[2 * i]!.lastIndexOf("-")),
      place: Math.floor(Number(flat[2 * i + 1]) / 2 ** 32),
    }));
  }
}
