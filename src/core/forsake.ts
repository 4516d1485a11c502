import type { SearchSpec } from "../schemas/search.js";

interface WaitingRuns {
  failWaiting(id: string, status: "canceled", reason: string): Promise<void>;
}

/** Cancels the run that waits for a search which was canceled or deleted; one that waits no more is left alone. */
export async function forsake(
  runs: WaitingRuns,
  { id, spec: { settles } }: { readonly id: string; readonly spec: Pick<SearchSpec, "settles"> },
): Promise<void> {
  if (settles !== null) await runs.failWaiting(settles.runId, "canceled", `search ${id} was canceled or deleted`);
}
