import type { SearchSpec } from "../schemas/search.js";
import type { AnnealRedis } from "./connect.js";
import { SEARCHES_KEY } from "./keys.js";
import { patiently } from "./patience.js";
import { type Claim, commonFields, jsonField, RecordStore, type StoredRecord } from "./records.js";

/** The search record as stored; state and answer are src/core/finder/search.ts's, plain JSON. */
export interface SearchRecord extends StoredRecord<SearchSpec> {
  readonly state: unknown;
  readonly answer: unknown;
}

/** The searches in Redis. */
export class SearchStore extends RecordStore<SearchSpec, SearchRecord> {
  constructor(redis: AnnealRedis) {
    super(redis, SEARCHES_KEY, "search_");
  }

  protected override datasetOf({ run }: SearchSpec): SearchSpec["run"]["dataset"] {
    return run.dataset;
  }

  protected override toRecord(hash: Record<string, string>): SearchRecord {
    return { ...commonFields<SearchSpec>(hash), state: jsonField(hash, "state"), answer: jsonField(hash, "result") };
  }

  /** Stores the state after `done` tasks, and tells the search's readers. On any answer but "continue" the attempt must end. */
  async advance(claim: Claim<SearchRecord>, done: number, state: unknown, progress: unknown): Promise<string> {
    const texts = [JSON.stringify(state), JSON.stringify(progress)] as const;
    return patiently(() => this.redis.annealAdvance(claim.id, claim.fence, done, ...texts));
  }
}
