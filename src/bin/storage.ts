import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { checkStorage } from "../store/fitness.js";
import { formatProblem } from "../store/format.js";
import { patiently } from "../store/patience.js";

/** Why this Redis must not hold runs, or null; what cannot be checked is left to the reader of the log. */
export async function unfitStorage(redis: Redis, log: Logger): Promise<string | null> {
  const { problem, unchecked } = await checkStorage(redis);
  if (problem !== null) return problem;
  for (const what of unchecked)
    log.warn(`Redis does not let us see its settings: not checked that ${what} (docs/redis.md)`);
  let silent = true;
  return patiently(
    () => formatProblem(redis),
    async ({ message }) => {
      if (silent) log.warn(`Redis takes no writes; waiting until it does: ${message}`);
      silent = false;
      return null;
    },
  );
}
