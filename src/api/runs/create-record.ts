import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger, FastifyRequest } from "fastify";
import { isDue } from "../../core/budget.js";
import type { RunQueue } from "../../queue/run-queue.js";
import type { Budget } from "../../schemas/budget.js";
import { ProblemError } from "../../schemas/problem.js";
import type { CreateOptions, RecordStore, StoredRecord } from "../../store/contract.js";
import type { OwnDeps } from "../deps.js";
import { invalidRequest } from "../http/problems.js";
import { quotaProblem } from "../http/quotas.js";

/** The side of a store that makes records. */
export type Creating<Spec, R extends StoredRecord<Spec>> = Pick<
  RecordStore<Spec, R>,
  "create" | "get" | "cancel" | "delete"
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
 * Stores a record and enqueues its job (`queue` null: it is not due yet). Throws a ProblemError when nothing was done. When
 * Redis does not answer, the client is told so, and whatever Redis may have done all the same is undone once it is back; or
 * left, where the client can ask again for the same record.
 */
export async function createRecord<Spec extends { readonly labels: readonly string[] }, R extends StoredRecord<Spec>>(
  store: Creating<Spec, R>,
  queue: Producer | null,
  id: string,
  spec: Spec,
  { id: traceId, log, recordId, tenant, own: { quotas } }: Origin,
  options: Omit<CreateOptions, "traceId"> = {},
): Promise<R> {
  log.info({ id }, "creating");
  const repeatable = recordId !== undefined;
  let created = await store.create(id, spec, { ...options, traceId }).catch((error) => {
    if (!repeatable) void eventually(() => takeBack(store, id));
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
  // From here on it exists: the client need not wait for its job, and should this process die, the reconciler makes one.
  if (queue !== null) void enqueue(queue, id, log);
  // It may have been made by an earlier one of the same requests, which drew another seed.
  if (repeatable) created = (await store.get(id)) ?? created;
  return created;
}

/** Throws a ProblemError where there would be no time for anything. */
export function refuseLate(budget: Budget | undefined): void {
  if (isDue(budget?.deadline, Date.now()))
    throw invalidRequest([{ pointer: "/budget/deadline", expected: "a time to come" }]);
}

/** Gives a new record its job: now, or as soon as Redis takes it. */
export async function enqueue(queue: Producer, id: string, log: FastifyBaseLogger): Promise<void> {
  await queue.enqueue(id, 0).catch((error) => {
    log.warn({ err: error, id }, "to be enqueued later");
    void eventually(() => queue.enqueue(id, 0));
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
