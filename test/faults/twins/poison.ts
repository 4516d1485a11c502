import { setTimeout as delay } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";
import type { AnnealRedis } from "../../../src/store/connect.js";
import { runKey } from "../../../src/store/keys.js";
import { RedisRunStore } from "../../../src/store/runs.js";

const POISON_SEED = 666;
/**
 * It dies soon after the first of the runs that its labels name was begun beside it and the second has got on, or when it has
 * waited this long for that: however busy the machine, a run that gets on has got on between two deaths.
 */
const WAITS_MS = 2000;
const DIES_AFTER_MS = 100;

/** Not a guard taken away but a fault put in: a run of that seed ends its whole process, as a crash in native code would. */
const checkpoint = RedisRunStore.prototype.checkpoint;
RedisRunStore.prototype.checkpoint = async function (id) {
  const run = isMainThread ? null : await this.get(id);
  if (run?.spec.seed === POISON_SEED) {
    const { redis } = this as unknown as { redis: AnnealRedis };
    const [slow, beside] = run.spec.labels as [string, string];
    const begun = async () => Number(await redis.hget(runKey(slow), "attempts")) >= run.attempts;
    const committed = async () => Number(await redis.hget(runKey(beside), "committed"));
    const before = await committed();
    const end = Date.now() + WAITS_MS;
    while (Date.now() < end && !((await begun()) && (await committed()) > before)) await delay(10);
    await delay(DIES_AFTER_MS);
    process.kill(process.pid, "SIGKILL");
  }
  return checkpoint.call(this, id);
};
