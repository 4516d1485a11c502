import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { DatasetStatistics } from "../schemas/dataset.js";
import { LIMITS } from "../schemas/limits.js";
import type { AnnealRedis } from "./connect.js";
import { DATASETS_KEY, datasetTextKey, datasetUsersKey } from "./keys.js";

/** A name and the text that it points to. */
export interface DatasetEntry {
  readonly name: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly digest: string;
  readonly bytes: number;
  /** Milliseconds since 1970, by Redis's clock. */
  readonly createdAt: number;
  readonly statistics: DatasetStatistics;
}

export const digestOf = (text: Uint8Array): string => createHash("sha256").update(text).digest("hex");

let names: { readonly digest: string; readonly text: Buffer } | undefined;

/** The text that every process has. */
export function builtInDataset(): { readonly digest: string; readonly text: Buffer } {
  if (names === undefined) {
    const text = readFileSync(new URL("../../../src/store/datasets/names.txt", import.meta.url));
    names = { digest: digestOf(text), text };
  }
  return names;
}

/** People's datasets in Redis: texts by digest, and names that point to them. Each change is one atomic step. */
export class DatasetStore {
  readonly #redis: AnnealRedis;

  constructor(redis: AnnealRedis) {
    this.#redis = redis;
  }

  /** One that somebody put there; null: there is none of that name. */
  async get(name: string): Promise<DatasetEntry | null> {
    const json = await this.#redis.hget(DATASETS_KEY, name);
    return json === null ? null : JSON.parse(json);
  }

  /** All that people have put there, by name. */
  async list(): Promise<DatasetEntry[]> {
    const entries = (await this.#redis.hvals(DATASETS_KEY)).map((json): DatasetEntry => JSON.parse(json));
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** How many runs and searches pin it. */
  async users(name: string): Promise<number> {
    return this.#redis.zcard(datasetUsersKey(name));
  }

  /** The text with that digest, built in or somebody's; null: there is none. */
  async text(digest: string): Promise<Buffer | null> {
    const builtIn = builtInDataset();
    return digest === builtIn.digest ? builtIn.text : this.#redis.hgetBuffer(datasetTextKey(digest), "text");
  }

  /**
   * Points the name to the text. "same": it did so before; "used": runs pin another text by this name; "full": there is no
   * room for more names or bytes.
   */
  async put(
    name: string,
    text: Buffer,
    statistics: DatasetStatistics,
  ): Promise<"created" | "same" | "replaced" | "used" | "full"> {
    const [seconds] = (await this.#redis.time()) as unknown as [number, number];
    const digest = digestOf(text);
    const entry: DatasetEntry = { name, digest, bytes: text.length, createdAt: Number(seconds) * 1000, statistics };
    const limits = [LIMITS.datasets, LIMITS.allDatasetsBytes];
    return this.#redis.annealPutDataset(name, digest, text, JSON.stringify(entry), ...limits);
  }

  /** Refused ("used") while runs or searches pin it. */
  async delete(name: string): Promise<"deleted" | "gone" | "used"> {
    return this.#redis.annealDeleteDataset(name);
  }
}
