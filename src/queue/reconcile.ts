/** A record's job is named by its id and epoch. */
export interface JobRef {
  readonly id: string;
  readonly epoch: number;
}

/** What the reconciler needs of the store and of the queue. */
export interface Reconcilable {
  held(): Promise<readonly JobRef[]>;
  queued(): AsyncIterable<readonly JobRef[]>;
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

export interface ReconcilerOptions {
  readonly records: Reconcilable;
  readonly jobs: Jobs;
  /** In how many looks in a row a new record must be missing; any other in two. */
  readonly looks: number;
  /** A record without a job was given one. */
  readonly onMended: (id: string) => void;
}

/**
 * Gives a job to every unfinished record that has none: one whose creator died before it was enqueued, or whose job was lost.
 * A record is touched only when it was found without a job in several looks in a row, since one may be being enqueued right
 * now. Counted, not timed: a look waits for as long as Redis is away.
 *
 * What a look costs does not grow with the queue: it takes in the next page of it, all that workers hold, and whatever was
 * missing in the look before.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  #queue: AsyncIterator<readonly JobRef[]> | null = null;
  /** By job: what had none in the last look, and in how many in a row. */
  #suspects = new Map<string, { readonly ref: JobRef; readonly looks: number }>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** A look that fails forgets nothing: the next one finds what this one was after. */
  async look(): Promise<void> {
    const { records, jobs, looks, onMended } = this.#options;
    const refs = new Map<string, JobRef>();
    for (const { ref } of this.#suspects.values()) refs.set(nameOf(ref), ref);
    for (const ref of [...(await records.held()), ...(await this.#nextPage())]) refs.set(nameOf(ref), ref);
    const missing = await jobs.missing([...refs.values()]);
    const before = this.#suspects;
    this.#suspects = new Map(
      missing.map((ref) => [nameOf(ref), { ref, looks: 1 + (before.get(nameOf(ref))?.looks ?? 0) }]),
    );
    for (const [name, { ref, looks: seen }] of [...this.#suspects]) {
      const { id, epoch } = ref;
      if (seen < (epoch === 0 ? looks : 2)) continue;
      const next = await records.requeue(id, epoch);
      this.#suspects.delete(name);
      if (next === null) continue;
      const renewed = { id, epoch: next };
      // Should the queue not answer, the next look must not have to come by it again.
      this.#suspects.set(nameOf(renewed), { ref: renewed, looks: 1 });
      await jobs.enqueue(id, next);
      onMended(id);
    }
  }

  async #nextPage(): Promise<readonly JobRef[]> {
    const next = await this.#queue?.next();
    if (next !== undefined && !next.done) return next.value;
    this.#queue = this.#options.records.queued()[Symbol.asyncIterator]();
    const first = await this.#queue.next();
    return first.done ? [] : first.value;
  }
}

const nameOf = ({ id, epoch }: JobRef) => `${id}-${epoch}`;
