import { setTimeout as delay } from "node:timers/promises";
import type { AnnealRedis } from "../../../src/store/connect.js";
import { checkpointKey } from "../../../src/store/keys.js";
import { RedisRunStore } from "../../../src/store/runs.js";
import { cut } from "./cut.js";

/** Broken twin: metrics first, the checkpoint with a command of its own. */
cut("annealCommit", /redis\.call\('HSET', checkpoint_key\(id\), 'loop'.*\n(?=if drop)/);

const commit = RedisRunStore.prototype.commit;
RedisRunStore.prototype.commit = async function (claim, chunk, checkpoint, ...rest) {
  const reply = await commit.call(this, claim, chunk, checkpoint, ...rest);
  await delay(1);
  const { loop, engine } = checkpoint;
  await (this as unknown as { redis: AnnealRedis }).redis.hset(checkpointKey(claim.id), {
    loop: JSON.stringify(loop),
    engine: Buffer.from(engine),
  });
  return reply;
};
