import { ProblemError } from "../../schemas/problem.js";

export function notFound(id: string): ProblemError {
  return new ProblemError("not-found", `There is no ${id}`);
}

/** What a store has by that id; where it has nothing, the client is told so. */
export async function existing<R>(store: { get(id: string): Promise<R | null> }, id: string): Promise<R> {
  const record = await store.get(id);
  if (record === null) throw notFound(id);
  return record;
}
