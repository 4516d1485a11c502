import { type ExperimentReport, ExperimentReportSchema } from "../schemas/experiment.js";
import type { RunSpec } from "../schemas/run.js";
import { type ExperimentSpec, StoredExperimentStateSchema } from "../schemas/stored-experiment.js";
import type { AnnealRedis } from "./connect.js";
import type { ExperimentRecord, ExperimentStore } from "./contract.js";
import { RedisParentStore } from "./parents.js";
import { commonFields } from "./records.js";
import { EXPERIMENT_ROWS } from "./rows.js";
import { type Parser, parseExperimentSpec, parserOf, type StoredHash } from "./stored.js";

const parseState = parserOf("experiment's state", StoredExperimentStateSchema);
const parseReport = parserOf("experiment's report", ExperimentReportSchema) as Parser<ExperimentReport>;

/** The experiments in Redis. */
export class RedisExperimentStore
  extends RedisParentStore<ExperimentSpec, ExperimentRecord>
  implements ExperimentStore
{
  constructor(redis: AnnealRedis, tenant: string | null = null) {
    super(redis, "experiment", tenant);
  }

  protected override readonly rowReader = EXPERIMENT_ROWS;

  /** Of all arms. */
  protected override datasetOf({ arms }: ExperimentSpec): RunSpec["dataset"] {
    return arms[0]!.run.dataset;
  }

  protected override toRecord(hash: StoredHash): ExperimentRecord {
    return {
      ...commonFields(hash, parseExperimentSpec),
      state: hash.jsonOrNull("state", parseState),
      report: hash.jsonOrNull("result", parseReport),
    };
  }
}
