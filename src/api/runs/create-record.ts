import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger, FastifyRequest } from "fastify";
import { isDue } from "../../core/budget.js";
import type { RunQueue } from "../../queue/run-queue.js";
import type { Budget } from "../../schemas/budget.js";
import { ProblemError } from "../../schemas/problem.js";
import type { Creation, RecordStore, StoredRecord } from "../../store/contract.js";
import type { OwnDeps } from "../deps.js";
import { invalidRequest } from "../http/problems.js";
import { quotaProblem } from "../http/quotas.js";

/** The side of a store that makes records. */
export type Creating<Spec, R extends StoredRecord<Spec>> = Pick<
  RecordStore<Spec, R>,
  "createAll" | "get" | "cancel" | "delete"
>;

/** The side of a queue that makes jobs. */
export type Producer = Pick<RunQueue, "enqueue">;

/** The request that something is done for: its id goes with the record, as the trace id of all that follows. */
export interface Origin extends Pick<FastifyRequest, "id" | "log" | "tenant"> {
  readonly own: Pick<OwnDeps, "quotas">;
  /** The record's id, where the request may be repeated: then the same one is made, or was made before. */
  readonly recordId?: string;
}

/**
 * Stores records, all or none, and enqueues the jobs of those that wait for nothing (`queue` null: no job is due yet). Throws a
 * ProblemError when nothing was done. When Redis does not answer, the client is told so, and whatever Redis may have done all the
 * same is undone once it is back; or left, where the client can ask again for the same records.
 */
export async function createRecords<Spec extends { readonly labels: readonly string[] }, R extends StoredRecord<Spec>>(
  store: Creating<Spec, R>,
  queue: Producer | null,
  creations: readonly Creation<Spec>[],
  { id: traceId, log, recordId, tenant, own: { quotas } }: Origin,
): Promise<R[]> {
  const ids = creations.map(({ id }) => id);
  log.info({ id: ids[0], ...(ids.length > 1 && { records: ids.length }) }, "creating");
  const repeatable = recordId !== undefined;
  const created = await store.createAll(creations, { traceId }).catch((error) => {
    if (!repeatable) void eventually(() => Promise.all(ids.map((id) => takeBack(store, id))));
    throw error;
  });
  if (created === "late") throw new ProblemError("unavailable", "Redis answered too late; nothing was done");
  if (created === "full") throw new ProblemError("too-many-requests", "Too many runs are waiting; nothing was done");
  if (created === "over-queued" || created === "over-steps" || created === "over-bytes") {
    throw await quotaProblem(quotas, tenant, created);
  }
  if (created === "no-checkpoint") throw new ProblemError("conflict", "The checkpoint to fork from is no longer there");
  if (created === "no-parent") throw new ProblemError("conflict", "What it was to belong to is gone; nothing was done");
  if (created === "no-dataset") {
    throw new ProblemError("conflict", "The dataset has just been replaced or deleted; nothing was done");
  }
  // From here on they exist: the client need not wait for their jobs, and should this process die, the reconciler makes them.
  const due = creations.filter(({ waitsFor }) => waitsFor === undefined);
  if (queue !== null && due.length > 0) {
    void enqueue(
      queue,
      due.map(({ id }) => id),
      log,
    );
  }
  if (!repeatable) return created;
  // They may have been made by an earlier one of the same requests, which drew other seeds.
  return Promise.all(created.map(async (record) => (await store.get(record.id)) ?? record));
}

/** The same for one record. */
export async function createRecord<Spec extends { readonly labels: readonly string[] }, R extends StoredRecord<Spec>>(
  store: Creating<Spec, R>,
  queue: Producer,
  creation: Creation<Spec>,
  origin: Origin,
): Promise<R> {
  return (await createRecords(store, queue, [creation], origin))[0]!;
}

/** Throws a ProblemError where there would be no time for anything. */
export function refuseLate(budget: Budget | undefined): void {
  if (isDue(budget?.deadline, Date.now()))
    throw invalidRequest([{ pointer: "/budget/deadline", expected: "a time to come" }]);
}

/** Gives new records their jobs: now, or as soon as Redis takes them. */
export async function enqueue(queue: Producer, ids: readonly string[], log: FastifyBaseLogger): Promise<void> {
  const all = () => Promise.all(ids.map((id) => queue.enqueue(id, 0)));
  await all().catch((error) => {
    log.warn({ err: error, id: ids[0] }, "to be enqueued later");
    void eventually(all);
  });
}

/** Undoes a create whose client was told that nothing was done. */
async function takeBack(
  store: { cancel(id: string): Promise<unknown>; delete(id: string): Promise<unknown> },
  id: string,
) {
  await store.cancel(id);
  await store.delete(id);
}

/** Tries until Redis has been there again, sooner than the reconciler takes a new record up (GRACE_MS in src/queue). */
async function eventually(action: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 4000; tries++) {
    await delay(250, undefined, { ref: false });
    const done = await action().then(
      () => true,
      () => false,
    );
    if (done) return;
  }
}
