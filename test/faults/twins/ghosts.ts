import { RedisRunStore } from "../../../src/store/runs.js";

/** Broken twin: the API takes nothing back, so that the reconciler gives a job to what its client was told had failed. */
RedisRunStore.prototype.cancel = async () => null;
RedisRunStore.prototype.delete = async () => "gone";
