import { SearchAnswerSchema, type SearchSpec } from "../schemas/search.js";
import { StoredSearchStateSchema } from "../schemas/stored-search.js";
import type { AnnealRedis } from "./connect.js";
import type { AttemptReply, Claim, SearchRecord, SearchStore } from "./contract.js";
import { patiently } from "./patience.js";
import { commonFields, RedisRecordStore } from "./records.js";
import { call } from "./scripts.js";
import { parserOf, parseSearchSpec, type StoredHash } from "./stored.js";

const parseState = parserOf("search state", StoredSearchStateSchema);
const parseAnswer = parserOf("search answer", SearchAnswerSchema);

/** The searches in Redis. */
export class RedisSearchStore extends RedisRecordStore<SearchSpec, SearchRecord> implements SearchStore {
  constructor(redis: AnnealRedis) {
    super(redis, "search");
  }

  protected override datasetOf({ run }: SearchSpec): SearchSpec["run"]["dataset"] {
    return run.dataset;
  }

  protected override toRecord(hash: StoredHash): SearchRecord {
    return {
      ...commonFields(hash, parseSearchSpec),
      state: hash.jsonOrNull("state", parseState),
      answer: hash.jsonOrNull("result", parseAnswer),
    };
  }

  async advance(
    { id, fence }: Claim<SearchRecord>,
    done: number,
    state: object,
    progress: object,
  ): Promise<AttemptReply> {
    return patiently(() => call(this.redis, "annealAdvance", { id, fence, done, state, progress }));
  }
}
