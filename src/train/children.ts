import { createHash } from "node:crypto";
import type { RunSpec } from "../schemas/run.js";
import { TERMINAL_STATUSES } from "../schemas/status.js";
import type { RunStore, StoredRecord, Tail } from "../store/contract.js";

/** What a search or an experiment trains: a run that belongs to it. */
export interface Child {
  readonly runId: string;
  readonly spec: RunSpec;
}

export interface ChildDeps {
  readonly runs: RunStore;
  readonly tail: Tail;
  readonly enqueue: (runId: string, epoch: number) => Promise<void>;
}

/** Children that are created and enqueued at once. */
const AT_ONCE = 32;

/**
 * A child's id follows from its parent and from what it is for, so that an attempt after a crash finds the children that
 * there are. As new-run ids are made, with the parent's time and a digest in place of chance.
 */
export function childId(parentId: string, name: string): string {
  const digest = createHash("sha256").update(`${parentId} ${name}`).digest("hex").slice(0, 14);
  const time = parentId.slice(parentId.indexOf("_") + 1).slice(0, 9);
  return `run_${time}${BigInt(`0x${digest}`).toString(36).padStart(11, "0")}`;
}

/** Creates those children that are not there yet, and gives each a job; repeating it is harmless. */
export async function startChildren(
  { runs, enqueue }: ChildDeps,
  { id: parent, traceId }: Pick<StoredRecord<unknown>, "id" | "traceId">,
  children: readonly Child[],
): Promise<void> {
  const start = async ({ runId, spec }: Child) => {
    let created = await runs.create(runId, spec, { traceId, parent });
    while (created === "late") created = await runs.create(runId, spec, { traceId, parent });
    if (typeof created === "string") throw new Error(`a child of ${parent} was not created: ${created}`);
    await enqueue(runId, 0);
  };
  for (let i = 0; i < children.length; i += AT_ONCE) await Promise.all(children.slice(i, i + AT_ONCE).map(start));
}

/** The children as they end; ends early when the signal comes. */
export async function* ended<C extends { readonly runId: string }>(
  tail: Tail,
  children: readonly C[],
  signal: AbortSignal,
): AsyncGenerator<C> {
  const over: C[] = [];
  let wake = () => {};
  const cursors = children.map((child) => {
    const end = () => {
      over.push(child);
      wake();
    };
    const cursor = tail.follow(child.runId, 0, {
      hasRoom: () => true,
      send: (entry) => {
        if (entry.kind !== "status" || !TERMINAL_STATUSES.includes(entry.change.status)) return;
        cursor.close();
        end();
      },
      gone: end,
    });
    cursor.resume();
    return cursor;
  });
  const stop = () => wake();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (let left = children.length; left > 0; left--) {
      while (over.length === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (signal.aborted) return;
      yield over.shift()!;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    for (const cursor of cursors) cursor.close();
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

/** Validation losses of an ended child, one for each replica; null: it diverged, failed, or was canceled or deleted by hand. */
export async function lossesOf(runs: RunStore, { runId, spec }: Child): Promise<(number | null)[]> {
  const run = await runs.get(runId);
  const nothing = Array.from({ length: spec.replicas }, () => null);
  if (run?.status !== "succeeded") return nothing;
  return run.result!.replicaValidationLosses ?? [run.result!.finalValidationLoss];
}
