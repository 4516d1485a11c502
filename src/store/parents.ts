import type { AttemptReply, Claim, ParentStore, StoredRecord } from "./contract.js";
import { patiently } from "./patience.js";
import { type Labelled, RedisRecordStore } from "./records.js";
import { call } from "./scripts.js";

/** Records in Redis that train others: searches and experiments. */
export abstract class RedisParentStore<Spec extends Labelled, R extends StoredRecord<Spec>>
  extends RedisRecordStore<Spec, R>
  implements ParentStore<Spec, R>
{
  async advance({ id, fence }: Claim<R>, done: number, state: object, progress: object): Promise<AttemptReply> {
    return patiently(() => call(this.redis, "annealAdvance", { id, fence, done, state, progress }));
  }
}
