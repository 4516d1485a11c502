import type { DatasetStatistics } from "../schemas/dataset.js";
import { LIMITS } from "../schemas/limits.js";
import { type DatasetEntry, StoredDatasetSchema } from "../schemas/stored.js";
import { DEFAULT_TENANT } from "../schemas/tenant.js";
import { builtInDataset, digestOf } from "./built-in-dataset.js";
import { RedisClock } from "./clock.js";
import type { AnnealRedis } from "./connect.js";
import type { DatasetStore } from "./contract.js";
import { datasetsKey, datasetTextKey, datasetUsersKey } from "./keys.js";
import { call } from "./scripts.js";
import { parserOf } from "./stored.js";

const parseEntry = parserOf("dataset", StoredDatasetSchema);

/** A tenant's datasets in Redis. */
export class RedisDatasetStore implements DatasetStore {
  readonly #redis: AnnealRedis;
  readonly #clock: RedisClock;
  readonly #tenant: string;

  constructor(redis: AnnealRedis, tenant = DEFAULT_TENANT) {
    this.#redis = redis;
    this.#tenant = tenant;
    this.#clock = new RedisClock(redis);
  }

  async get(name: string): Promise<DatasetEntry | null> {
    const json = await this.#redis.hget(datasetsKey(this.#tenant), name);
    return json === null ? null : parseEntry(json);
  }

  async list(): Promise<DatasetEntry[]> {
    const entries = (await this.#redis.hvals(datasetsKey(this.#tenant))).map(parseEntry);
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async users(name: string): Promise<number> {
    return this.#redis.zcard(datasetUsersKey(name, this.#tenant));
  }

  async text(digest: string): Promise<Buffer | null> {
    const builtIn = builtInDataset();
    return digest === builtIn.digest ? builtIn.text : this.#redis.hgetBuffer(datasetTextKey(digest), "text");
  }

  async put(
    name: string,
    text: Buffer,
    statistics: DatasetStatistics,
  ): Promise<"created" | "same" | "replaced" | "used" | "full" | "over-bytes"> {
    const createdAt = Math.floor(await this.#clock.now());
    const digest = digestOf(text);
    const entry: DatasetEntry = { name, digest, bytes: text.length, createdAt, statistics };
    const limits = { mostNames: LIMITS.datasets, mostBytes: LIMITS.allDatasetsBytes };
    return call(this.#redis, "annealPutDataset", { tenant: this.#tenant, name, digest, text, entry, ...limits });
  }

  async delete(name: string): Promise<"deleted" | "gone" | "used"> {
    return call(this.#redis, "annealDeleteDataset", { tenant: this.#tenant, name });
  }
}
