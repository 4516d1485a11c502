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
  enqueue(id: string, epoch: number): Promise<void>;
}

/**
 * Gives a job to every unfinished run that has none: one whose creator died before it was enqueued, or whose job was lost.
 * A run is touched only when it was found without a job twice in a row, so that one being enqueued right now is left alone.
 * Returns the suspects, to be passed in the next time.
 */
export async function reconcile(
  runs: Reconcilable,
  jobs: Jobs,
  suspects: ReadonlySet<string>,
  onMended: (id: string) => void,
): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const page of runs.unfinished()) {
    for (const { id, epoch } of await jobs.missing(page)) {
      const name = `${id}-${epoch}`;
      found.add(name);
      if (!suspects.has(name)) continue;
      const next = await runs.requeue(id, epoch);
      if (next === null) continue;
      await jobs.enqueue(id, next);
      onMended(id);
    }
  }
  return found;
}
