import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import type { RunQueue } from "../queue/run-queue.js";
import { type FieldError, ProblemError } from "../spec/problem.js";
import type { RecordStore, StoredRecord } from "../store/records.js";

/**
 * Stores a record and enqueues its job (`queue` null: it is not due yet). Throws a ProblemError when nothing was done. When
 * Redis does not answer, the client is told so, and whatever Redis may have done all the same is undone once it is back.
 */
export async function createRecord<Spec extends { readonly labels: readonly string[] }, R extends StoredRecord<Spec>>(
  store: RecordStore<Spec, R>,
  queue: RunQueue | null,
  id: string,
  spec: Spec,
  log: FastifyBaseLogger,
  waitsFor: string | null = null,
): Promise<R> {
  log.info({ id }, "creating");
  const created = await store.create(id, spec, waitsFor).catch((error) => {
    void eventually(() => store.cancel(id));
    throw error;
  });
  if (created === "late") throw new ProblemError("unavailable", "Redis answered too late; nothing was done");
  if (created === "full") throw new ProblemError("too-many-requests", "Too many runs are waiting; nothing was done");
  // From here on it exists: should this process die, the reconciler gives it its job.
  if (queue !== null) await enqueue(queue, id, log);
  return created;
}

/** Gives a new record its job: now, or as soon as Redis takes it. */
export async function enqueue(queue: RunQueue, id: string, log: FastifyBaseLogger): Promise<void> {
  await queue.enqueue(id, 0).catch((error) => {
    log.warn({ err: error, id }, "to be enqueued later");
    void eventually(() => queue.enqueue(id, 0));
  });
}

/** Tries again each second, for as long as the reconciler leaves a new record alone (YOUNG_MS in src/store/scripts.ts). */
async function eventually(action: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    await delay(1000, undefined, { ref: false });
    const done = await action().then(
      () => true,
      () => false,
    );
    if (done) return;
  }
}

/** A body whose schema is right but whose meaning is not. */
export function invalidRequest(errors: readonly FieldError[]): ProblemError {
  const detail = errors.map(({ pointer, expected }) => `${pointer}: expected ${expected}`).join("; ");
  return new ProblemError("invalid-request", `The request is not valid: ${detail}`, errors);
}
