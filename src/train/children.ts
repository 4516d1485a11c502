import type { RunSpec } from "../schemas/run.js";
import { TERMINAL_STATUSES } from "../schemas/status.js";
import type { Cursor, RunStore, StoredRecord, Tail } from "../store/contract.js";

/** What a search or an experiment trains: a run that belongs to it. */
export interface Child {
  readonly runId: string;
  readonly spec: RunSpec;
}

export interface ChildDeps {
  readonly runs: RunStore;
  readonly tail: Tail;
  readonly enqueue: (runId: string, epoch: number) => Promise<void>;
  /** The name of this worker process. */
  readonly worker: string;
}

/** A clock that was set, or a Redis that was away, is seen after this long. */
const LOOK_MS = 60_000;

/** Children that are created and enqueued at once. */
const AT_ONCE = 32;

/** Creates those children that are not there yet, and gives each a job; repeating it is harmless. */
export async function startChildren(
  { runs, enqueue }: ChildDeps,
  { id: parent, traceId }: Pick<StoredRecord<unknown>, "id" | "traceId">,
  children: readonly Child[],
): Promise<void> {
  const start = async ({ runId, spec }: Child) => {
    const options = { traceId, parent };
    let created = await runs.create(runId, spec, options);
    while (created === "late") created = await runs.create(runId, spec, options);
    if (typeof created === "string") throw new Error(`a child of ${parent} was not created: ${created}`);
    await enqueue(runId, 0);
  };
  for (let i = 0; i < children.length; i += AT_ONCE) await Promise.all(children.slice(i, i + AT_ONCE).map(start));
}

/** Waits for runs to end. */
export class Endings<C extends { readonly runId: string }> {
  readonly #tail: Tail;
  readonly #cursors = new Set<Cursor>();
  #over: C[] = [];
  #wake = () => {};

  constructor(tail: Tail) {
    this.#tail = tail;
  }

  add(child: C): void {
    const end = () => {
      this.#cursors.delete(cursor);
      cursor.close();
      this.#over.push(child);
      this.#wake();
    };
    const cursor = this.#tail.follow(child.runId, 0, {
      hasRoom: () => true,
      send: (entry) => {
        if (entry.kind === "status" && TERMINAL_STATUSES.includes(entry.change.status)) end();
      },
      gone: end,
    });
    this.#cursors.add(cursor);
    cursor.resume();
  }

  /** Those that have ended since it was last asked, at least one; none once the signal has come. */
  async next(signal: AbortSignal): Promise<C[]> {
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    while (this.#over.length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    signal.removeEventListener("abort", stop);
    return signal.aborted ? [] : this.#over.splice(0);
  }

  close(): void {
    for (const cursor of this.#cursors) cursor.close();
  }
}

/** The children as they end; ends early when the signal comes. */
export async function* ended<C extends { readonly runId: string }>(
  tail: Tail,
  children: readonly C[],
  signal: AbortSignal,
): AsyncGenerator<C> {
  const endings = new Endings<C>(tail);
  try {
    for (const child of children) endings.add(child);
    for (let left = children.length; left > 0; ) {
      const over = await endings.next(signal);
      if (over.length === 0) return;
      left -= over.length;
      for (const child of over) {
        if (signal.aborted) return;
        yield child;
      }
    }
  } finally {
    endings.close();
  }
}

export async function cancelChildren(runs: RunStore, children: readonly { readonly runId: string }[]): Promise<void> {
  await Promise.all(children.map(({ runId }) => runs.cancel(runId)));
}

/** A cancel is seen in the parent's own log, while its children train. */
export function watchForCancel(tail: Tail, parentId: string, from: number): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const cursor = tail.follow(parentId, from, {
    hasRoom: () => true,
    send: (entry) => {
      if (entry.kind === "status" && entry.change.status === "canceling") controller.abort();
    },
    gone: () => controller.abort(),
  });
  cursor.resume();
  return { signal: controller.signal, stop: () => cursor.close() };
}

/** Its signal comes at that time, by the store's clock; never where there is none. */
export async function watchForDeadline(
  runs: Pick<RunStore, "now">,
  deadline: string | undefined,
): Promise<{ signal: AbortSignal; stop(): void }> {
  const controller = new AbortController();
  if (deadline === undefined) return { signal: controller.signal, stop: () => {} };
  const at = Date.parse(deadline);
  let timer: NodeJS.Timeout;
  const look = async () => {
    // While Redis is away nothing ends either.
    const left = at - (await runs.now().catch(() => 0));
    if (left <= 0) return controller.abort();
    timer = setTimeout(look, Math.min(left, LOOK_MS));
  };
  await look();
  return { signal: controller.signal, stop: () => clearTimeout(timer) };
}

/** A child has no result: it failed, or was canceled or deleted by hand. Nothing can be concluded without it. */
export class NoResultError extends Error {}

/** Validation losses of an ended child, one for each replica; null: it diverged. Throws NoResultError where it has none. */
export async function lossesOf(runs: RunStore, { runId, spec }: Child): Promise<(number | null)[]> {
  const run = await runs.get(runId);
  if (run === null) throw new NoResultError(`${runId} was deleted`);
  if (run.status === "diverged") return Array.from({ length: spec.replicas }, () => null);
  if (run.status !== "succeeded") {
    throw new NoResultError(`${runId} was ${run.status}${run.reason === null ? "" : `: ${run.reason}`}`);
  }
  return run.result!.replicaValidationLosses ?? [run.result!.finalValidationLoss];
}
