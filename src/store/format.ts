import type { Redis } from "ioredis";
import { STORED_FORMAT } from "../schemas/stored.js";
import { call } from "./scripts.js";

/**
 * Brings what an older version of ours has stored to the present format, in one atomic step; no older process may run any
 * more. Why this Redis must be left alone instead, or null.
 */
export async function formatProblem(redis: Redis): Promise<string | null> {
  const found = await call(redis, "annealOpenFormat", { format: STORED_FORMAT });
  if (found <= STORED_FORMAT) return null;
  return `Redis holds data of format ${found}, from a newer version of Anneal; this one knows formats up to ${STORED_FORMAT}`;
}
