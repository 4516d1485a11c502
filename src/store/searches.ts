import { SearchAnswerSchema, type SearchSpec } from "../schemas/search.js";
import { StoredSearchStateSchema } from "../schemas/stored-search.js";
import type { AnnealRedis } from "./connect.js";
import type { SearchRecord, SearchStore } from "./contract.js";
import { RedisParentStore } from "./parents.js";
import { commonFields } from "./records.js";
import { SEARCH_ROWS } from "./rows.js";
import { parserOf, parseSearchSpec, type StoredHash } from "./stored.js";

const parseState = parserOf("search state", StoredSearchStateSchema);
const parseAnswer = parserOf("search answer", SearchAnswerSchema);

/** The searches in Redis. */
export class RedisSearchStore extends RedisParentStore<SearchSpec, SearchRecord> implements SearchStore {
  constructor(redis: AnnealRedis, tenant: string | null = null) {
    super(redis, "search", tenant);
  }

  protected override readonly rowReader = SEARCH_ROWS;

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
}
