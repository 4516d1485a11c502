import { type MemoryFacts, memoryBytes, sizesOf } from "../core/memory.js";
import { type DatasetFinder, findDataset } from "../store/built-in-dataset.js";
import type { Fleet, RunStore } from "../store/contract.js";
import { CRASH_LIMIT } from "./run-training.js";

/** A run that was refused for this long is the next that is taken: smaller ones would else keep it out for ever. */
const PATIENCE_MS = 30_000;
/** One that has not asked again for so long was taken elsewhere, or is gone. */
const FORGOTTEN_MS = 10_000;

/** The memory of a worker process, and the runs that share it. */
export class MemoryRoom {
  readonly bytes: number;
  readonly #now: () => number;
  #taken = 0;
  /** Who was refused first of those that still ask. */
  #first: { readonly id: string; readonly since: number; asked: number } | null = null;

  constructor(bytes: number, now: () => number = () => performance.now()) {
    this.bytes = bytes;
    this.#now = now;
  }

  /** Gives it back, once; null: it does not fit beside those that are here, or another has waited longer. */
  take(id: string, bytes: number): (() => void) | null {
    const now = this.#now();
    if (this.#first !== null && now - this.#first.asked > FORGOTTEN_MS) this.#first = null;
    const waits = this.#first;
    const yields = waits !== null && waits.id !== id && now - waits.since > PATIENCE_MS;
    if (yields || this.#taken + bytes > this.bytes) {
      if (waits === null) this.#first = { id, since: now, asked: now };
      else if (waits.id === id) waits.asked = now;
      return null;
    }
    if (waits?.id === id) this.#first = null;
    this.#taken += bytes;
    return () => {
      this.#taken -= bytes;
    };
  }
}

export interface AdmissionDeps {
  readonly runs: Pick<RunStore, "get" | "claim" | "finish">;
  readonly datasetsOf: (tenant: string) => DatasetFinder;
  readonly fleet: Pick<Fleet, "workers">;
  readonly worker: string;
}

/**
 * Takes room for a run. "later": there is none now, here; "over": no worker has as much, and the run is failed with that as its
 * reason.
 */
export async function admit(
  deps: AdmissionDeps,
  room: MemoryRoom,
  id: string,
  epoch: number,
): Promise<(() => void) | "later" | "over"> {
  const run = await deps.runs.get(id);
  // What is gone, or over, takes nothing: the attempt finds out.
  if (run === null) return () => {};
  const { name, digest } = run.spec.dataset;
  const facts = await factsOf(deps.datasetsOf(run.tenant), name, digest);
  if (facts === null) return () => {};
  const bytes = memoryBytes(run.spec, facts);
  if (bytes <= room.bytes) return room.take(id, bytes) ?? "later";
  const others = (await deps.fleet.workers()).map(({ facts }) => facts.memory ?? Number.POSITIVE_INFINITY);
  if (Math.max(0, ...others) >= bytes) return "later";
  const claim = await deps.runs.claim(id, `no room ${epoch}`, CRASH_LIMIT, epoch, deps.worker);
  if (!("refused" in claim)) {
    const most = Math.max(room.bytes, ...others);
    await deps.runs.finish(
      claim,
      "failed",
      `it takes ${bytes} bytes of memory, and no worker has more than ${most}`,
      null,
    );
  }
  return "over";
}

/** By digest, the newest few: a text's facts never change. */
const known = new Map<string, MemoryFacts>();
const KNOWN = 100;

async function factsOf(datasets: DatasetFinder, name: string, digest: string): Promise<MemoryFacts | null> {
  let facts = known.get(digest) ?? null;
  if (facts !== null) return facts;
  const entry = await findDataset(datasets, name);
  if (entry === null || entry.digest !== digest) return null;
  facts = sizesOf(entry.statistics);
  known.set(digest, facts);
  if (known.size > KNOWN) known.delete(known.keys().next().value!);
  return facts;
}
