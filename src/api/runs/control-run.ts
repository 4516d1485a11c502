import type { RunRecord, RunStore, SearchStore } from "../../store/contract.js";
import { cancelRecord, refuse } from "../http/ending.js";
import { existing } from "../http/existing.js";
import type { Producer } from "./create-record.js";

export interface ControlDeps {
  readonly runs: Pick<RunStore, "get" | "cancel" | "pause" | "resume" | "delete">;
  readonly searches: Pick<SearchStore, "cancel">;
  readonly queue: Producer;
}

const IS_OVER = "The run is over, or being canceled";

/** Cancels a run, and the search that it waits for; one that was canceled before stays so. Answers with the run as it is now. */
export async function cancelRun({ runs, searches }: ControlDeps, id: string): Promise<RunRecord> {
  const { waitsFor } = await existing(runs, id);
  if (waitsFor !== null) await searches.cancel(waitsFor);
  return cancelRecord(runs, id);
}

export async function pauseRun({ runs }: ControlDeps, id: string): Promise<RunRecord> {
  refuse(id, await runs.pause(id), IS_OVER);
  return existing(runs, id);
}

export async function resumeRun({ runs, queue }: ControlDeps, id: string): Promise<RunRecord> {
  const { outcome, epoch } = await runs.resume(id);
  refuse(id, outcome, IS_OVER);
  if (outcome === "enqueue") await queue.enqueue(id, epoch);
  return existing(runs, id);
}

/** Deletes a run; the search that it waits for is canceled. */
export async function deleteRun({ runs, searches }: ControlDeps, id: string): Promise<void> {
  const record = await runs.get(id);
  if (record !== null && record.waitsFor !== null) await searches.cancel(record.waitsFor);
  refuse(id, await runs.delete(id), "The run is being trained: cancel it first");
}
