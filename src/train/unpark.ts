import type { RunStore } from "../store/contract.js";

export interface UnparkDeps {
  readonly runs: Pick<RunStore, "parked" | "unpark" | "now">;
  /** As in TrainingDeps. */
  readonly engineFor: (needs: string) => Promise<string | null>;
  /** Enqueues a run before all that wait: it has waited already. */
  readonly enqueueFirst: (id: string, epoch: number) => Promise<void>;
  /** How long a run that need not be exact waits for its numerics before it goes on under others. */
  readonly waitMs: number;
}

/**
 * Gives jobs to runs that were put aside and that this worker can train, the longest waiting first, at most `most` of them:
 * another worker may take such a job and put the run aside again.
 */
export async function unparkRuns({ runs, engineFor, enqueueFirst, waitMs }: UnparkDeps, most: number): Promise<void> {
  const parked = await runs.parked();
  if (parked.length === 0) return;
  const now = await runs.now();
  let tried = 0;
  for (const { id, needs, since, exact } of parked.sort((a, b) => a.since - b.since)) {
    if (tried === most) return;
    const able = (await engineFor(needs)) !== null;
    if (!able && (exact || now - since < waitMs)) continue;
    tried++;
    const epoch = await runs.unpark(id, !able);
    if (epoch !== null) await enqueueFirst(id, epoch);
  }
}
