import { setTimeout as delay } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";
import { RunStore } from "../../../src/store/runs.js";

/** A run of this seed ends its whole process, as a crash in native code would, this long after it was begun. */
const POISON_SEED = 666;
const DIES_AFTER_MS = 200;

/** Not a guard taken away but a fault put in. */
const checkpoint = RunStore.prototype.checkpoint;
RunStore.prototype.checkpoint = async function (claim) {
  if (!isMainThread && claim.record.spec.seed === POISON_SEED) {
    await delay(DIES_AFTER_MS);
    process.kill(process.pid, "SIGKILL");
  }
  return checkpoint.call(this, claim);
};
