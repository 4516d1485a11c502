import { TERMINAL_STATUSES } from "../schemas/status.js";
import type { RunStore, SearchStore } from "../store/contract.js";

/** Ends the runs that wait for a search which is over without an answer: where a crash left them waiting. */
export async function releaseForsaken({
  runs,
  searches,
}: {
  readonly runs: Pick<RunStore, "waiting" | "failWaiting">;
  readonly searches: Pick<SearchStore, "get">;
}): Promise<void> {
  for (const { id, waitsFor } of await runs.waiting()) {
    const search = await searches.get(waitsFor);
    if (search !== null && !TERMINAL_STATUSES.includes(search.status)) continue;
    const canceled = search === null || search.status === "canceled";
    await runs.failWaiting(id, canceled ? "canceled" : "failed", `search ${waitsFor} gave no rate`);
  }
}
