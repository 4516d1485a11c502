import { closeSync, openSync, rmSync, utimes } from "node:fs";

const EVERY_MS = 5000;

/**
 * Touches a file while the event loop turns, so that a container's health check is to look at its age: it costs nothing, and a
 * busy process that is too slow to answer in time is not taken for a hung one. The returned function removes it.
 */
export function keepHeartbeat(path: string): () => void {
  closeSync(openSync(path, "w"));
  const touch = () => utimes(path, new Date(), new Date(), () => {});
  const timer = setInterval(touch, EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    rmSync(path, { force: true });
  };
}
