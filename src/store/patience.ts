import { setTimeout as delay } from "node:timers/promises";

/** Redis's answers that pass: no memory left, disk trouble, still loading, a replica for the moment. */
const PASSING = /^(OOM|MISCONF|LOADING|READONLY|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN)/;
const RETRY_MS = 250;

/** Did Redis say this, as against the code that talks to it? */
export function isRedisReply(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}

/**
 * Repeats a command that Redis refuses for a passing reason until it is taken: work waits for space, it is not lost. Only for
 * commands that are harmless when repeated, as all of our scripts are. Rejects with the refusal once `signal` is aborted.
 */
export async function patiently<T>(command: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await command();
    } catch (error) {
      if (signal.aborted || !isRedisReply(error) || !PASSING.test((error as Error).message)) throw error;
      await delay(RETRY_MS);
    }
  }
}
