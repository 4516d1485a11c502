import { setTimeout as delay } from "node:timers/promises";

/** Answers of a Redis that is full, cannot write its disk, or is still loading: they pass. */
const PASSING = /^(OOM|MISCONF|LOADING|BUSY|READONLY) /;
const PAUSE_MS = 200;

export function isPassing(error: unknown): boolean {
  return error instanceof Error && PASSING.test(error.message);
}

/** Redis's word, or the lack of it; says nothing about the run that it was asked about. */
export function isRedisError(error: unknown): boolean {
  return error instanceof Error && (error.name === "ReplyError" || error.message.startsWith("Connection is closed"));
}

/** Tries again while Redis's refusal is one that passes; `meanwhile` may end the wait with an answer of its own. */
export async function patiently<T>(action: () => Promise<T>, meanwhile?: () => Promise<T | null>): Promise<T> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
    const answer = (await meanwhile?.()) ?? null;
    if (answer !== null) return answer;
    await delay(PAUSE_MS);
  }
}
