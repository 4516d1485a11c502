import { isMainThread } from "node:worker_threads";
import { readConfig } from "../../../src/bin/config.js";

/** Broken twin: a main thread that is kept from its event loop, as training on it would, for longer than a lock lasts. */
if (isMainThread) {
  const { LOCK_DURATION_MS, STALLED_INTERVAL_MS } = readConfig();
  setInterval(() => {
    const end = performance.now() + 3 * LOCK_DURATION_MS + 4 * STALLED_INTERVAL_MS;
    while (performance.now() < end);
  }, LOCK_DURATION_MS);
}
