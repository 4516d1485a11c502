import { ADVANCE, ATTEND, CLAIM, COMMIT, FINISH, NOTE, RELEASE } from "./lua/attempt.js";
import { CANCEL, DELETE, PAUSE, REQUEUE, RESUME } from "./lua/control.js";
import { CREATE, DISAPPOINT, SETTLE } from "./lua/creation.js";
import { DATASET_PRELUDE, DELETE_DATASET, PUT_DATASET } from "./lua/datasets.js";
import { PRELUDE } from "./lua/prelude.js";

const withPrelude = (lua: string) => PRELUDE + lua;
/** For what ends, stops or hands back a run: a few bytes, which a full Redis must still take. */
const evenWhenFull = (lua: string) => `#!lua flags=allow-oom\n${PRELUDE}${lua}`;

/** Every change of a run, a search or a dataset; each is explained where it is written. */
export const SCRIPTS = {
  annealCreate: { lua: withPrelude(CREATE) },
  annealClaim: { lua: evenWhenFull(CLAIM), numberOfKeys: 0 },
  annealCommit: { lua: withPrelude(COMMIT), numberOfKeys: 0 },
  annealAttend: { lua: evenWhenFull(ATTEND), numberOfKeys: 0 },
  annealAdvance: { lua: withPrelude(ADVANCE), numberOfKeys: 0 },
  annealSettle: { lua: withPrelude(SETTLE), numberOfKeys: 0 },
  annealDisappoint: { lua: evenWhenFull(DISAPPOINT), numberOfKeys: 0 },
  annealFinish: { lua: evenWhenFull(FINISH), numberOfKeys: 0 },
  annealRelease: { lua: evenWhenFull(RELEASE), numberOfKeys: 0 },
  annealNote: { lua: evenWhenFull(NOTE), numberOfKeys: 0 },
  annealCancel: { lua: evenWhenFull(CANCEL), numberOfKeys: 0 },
  annealPause: { lua: evenWhenFull(PAUSE), numberOfKeys: 0 },
  annealResume: { lua: evenWhenFull(RESUME), numberOfKeys: 0 },
  annealRequeue: { lua: withPrelude(REQUEUE), numberOfKeys: 0 },
  annealDelete: { lua: evenWhenFull(DELETE) },
  annealPutDataset: { lua: withPrelude(DATASET_PRELUDE + PUT_DATASET), numberOfKeys: 0 },
  annealDeleteDataset: { lua: evenWhenFull(DATASET_PRELUDE + DELETE_DATASET), numberOfKeys: 0 },
} as const;
