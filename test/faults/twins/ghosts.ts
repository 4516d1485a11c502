import { RunStore } from "../../../src/store/runs.js";
import { SCRIPTS } from "../../../src/store/scripts.js";

/** Broken twin: the API takes nothing back, and the reconciler does not wait for it. */
RunStore.prototype.cancel = async () => null;
const requeue = SCRIPTS.annealRequeue as { lua: string };
requeue.lua = requeue.lua.replace(/if status == 'queued' and epoch == '0'.*\n/, "");
