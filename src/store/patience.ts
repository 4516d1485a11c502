import { setTimeout as delay } from "node:timers/promises";

/** Answers of a server that is no primary, or no longer. */
const DEMOTED = /^(READONLY|MASTERDOWN|UNBLOCKED) /;
/** Answers of a Redis that cannot do its work just now, as after a restart or a failover, or that has lost its replicas. */
const AWAY = /^(READONLY|MASTERDOWN|UNBLOCKED|CLUSTERDOWN|MISCONF|LOADING|NOREPLICAS|TRYAGAIN) /;
/** Answers that pass: those, and of a Redis that is full or busy. */
const PASSING = /^(OOM|BUSY) /;
const PAUSE_MS = 200;

export const isDemoted = (error: Error): boolean => DEMOTED.test(error.message);

export function isPassing(error: unknown): boolean {
  return error instanceof Error && (PASSING.test(error.message) || AWAY.test(error.message));
}

/** By the way in which ioredis says it. */
const NO_ANSWER = [
  "Command timed out",
  "Stream isn't writeable and enableOfflineQueue options is false",
  "Connection is closed",
  "All sentinels are unreachable",
  "ECONNREFUSED",
  "ECONNRESET",
];

/** Redis does not answer, or is no working primary: it says nothing about what was asked, and nothing was done, or not for good. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "MaxRetriesPerRequestError" || AWAY.test(error.message)) return true;
  return NO_ANSWER.some((text) => error.message.includes(text));
}

/** Redis's word, or the lack of it; says nothing about the run that it was asked about. */
export function isRedisError(error: unknown): boolean {
  return error instanceof Error && (error.name === "ReplyError" || isRedisAway(error));
}

/** Tries again while Redis's refusal is one that passes; `meanwhile` may end the wait with an answer of its own. */
export async function patiently<T>(
  action: () => Promise<T>,
  meanwhile?: (refusal: Error) => Promise<T | null>,
): Promise<T> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!isPassing(error)) throw error;
      const answer = (await meanwhile?.(error as Error)) ?? null;
      if (answer !== null) return answer;
    }
    await delay(PAUSE_MS);
  }
}
