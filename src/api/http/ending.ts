import { ProblemError } from "../../schemas/problem.js";
import { kindOf } from "../../schemas/record-kinds.js";
import { isTerminal } from "../../schemas/status.js";
import type { RecordStore, StoredRecord } from "../../store/contract.js";
import { existing, notFound } from "./existing.js";

/** Cancels a record; one that was canceled before stays so. Answers with it as it is now; refused where it has ended otherwise. */
export async function cancelRecord<R extends StoredRecord<unknown>>(
  store: Pick<RecordStore<unknown, R>, "cancel" | "get">,
  id: string,
): Promise<R> {
  const status = await store.cancel(id);
  if (status === null) throw notFound(id);
  if (isTerminal(status) && status !== "canceled") {
    throw new ProblemError("conflict", `The ${kindOf(id)} has already ${status}`);
  }
  return existing(store, id);
}

/** Throws what a store's refusal of a change means; `conflict`: what to say where its status forbids it. */
export function refuse(id: string, outcome: string, conflict: string): void {
  if (outcome === "gone") throw notFound(id);
  if (outcome === "conflict") throw new ProblemError("conflict", conflict);
}
