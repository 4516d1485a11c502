/** A record's job is named by its id and epoch. */
export interface JobRef {
  readonly id: string;
  readonly epoch: number;
}

/** What the reconciler needs of the store and of the queue. */
export interface Reconcilable {
  unfinished(): AsyncIterable<readonly JobRef[]>;
  requeue(id: string, epoch: number): Promise<number | null>;
}
export interface Jobs {
  /** Those of them that have no job. */
  missing(refs: readonly JobRef[]): Promise<readonly JobRef[]>;
  /** `first`: before all that wait. */
  enqueue(id: string, epoch: number, first?: boolean): Promise<void>;
}

/**
 * A new record without a job is left alone for this long: the API whose client was not told of it takes it back, and the API
 * whose queue did not answer enqueues it, both as soon as Redis is there again.
 */
export const GRACE_MS = 5000;

/** By job, in how many looks in a row it was missing. */
export type Missing = ReadonlyMap<string, number>;

/**
 * Gives a job to every unfinished run that has none: one whose creator died before it was enqueued, or whose job was lost.
 * A run is touched only when it was found without a job in several looks in a row, since one may be being enqueued right now:
 * `looks` of them for a new record, two for any other. Counted, not timed: a look waits for as long as Redis is away.
 * Returns what was missing, to be passed in the next time.
 */
export async function reconcile(
  runs: Reconcilable,
  jobs: Jobs,
  missing: Missing,
  looks: number,
  onMended: (id: string) => void,
): Promise<Missing> {
  const found = new Map<string, number>();
  for await (const page of runs.unfinished()) {
    for (const { id, epoch } of await jobs.missing(page)) {
      const name = `${id}-${epoch}`;
      const seen = (missing.get(name) ?? 0) + 1;
      found.set(name, seen);
      if (seen < (epoch === 0 ? looks : 2)) continue;
      const next = await runs.requeue(id, epoch);
      if (next === null) continue;
      await jobs.enqueue(id, next);
      onMended(id);
    }
  }
  return found;
}
