import { ProblemError } from "../../schemas/problem.js";
import { notFound } from "../http/responses.js";

/** How much of a log is stored, and the most there will be. */
export interface Extent {
  readonly committed: number;
  readonly total: number;
}
/** null: there is no such id. */
export type ExtentOf = (id: string) => Promise<Extent | null>;

/** Where a reader from step `from` begins in the log: there, or at the committed steps where that is less. */
export async function startOf(extentOf: ExtentOf, id: string, from: number): Promise<number> {
  const extent = await extentOf(id);
  if (extent === null) throw notFound(id);
  if (from > extent.total) {
    const expected = `at most ${extent.total}`;
    throw new ProblemError("invalid-request", `from: expected ${expected}`, [{ pointer: "/from", expected }]);
  }
  return Math.min(from, extent.committed);
}
