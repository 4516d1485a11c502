import { isMainThread } from "node:worker_threads";

/** Broken twin: a worker that is told to stop hands nothing over. */
if (isMainThread) process.on("SIGTERM", () => process.exit(0));
