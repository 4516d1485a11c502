import { ProblemError } from "../../schemas/problem.js";
import { kindOf } from "../../schemas/record-kinds.js";
import { isTerminal } from "../../schemas/status.js";
import type { ExperimentStore, RunStore, SearchStore } from "../../store/contract.js";
import { notFound } from "../http/existing.js";

/** How much of a log is stored, and the most there will be. */
export interface LogBounds {
  readonly committed: number;
  readonly total: number;
}
/** By id of a run, search or experiment; null: there is none. */
export type BoundsOf = (id: string) => Promise<LogBounds | null>;

export interface Stores {
  readonly runs: Pick<RunStore, "get">;
  readonly searches: Pick<SearchStore, "get">;
  readonly experiments: Pick<ExperimentStore, "get">;
}

/** A run's log is as long as its steps, an experiment's as its trainings; how long a search's will be is known at its end. */
export function createBoundsOf({ runs, searches, experiments }: Stores): BoundsOf {
  return async (id) => {
    const kind = kindOf(id);
    if (kind === "run") {
      const run = await runs.get(id);
      return run && { committed: run.committed, total: run.spec.steps };
    }
    if (kind === "experiment") {
      const experiment = await experiments.get(id);
      if (experiment === null) return null;
      const { committed, spec } = experiment;
      return { committed, total: spec.arms.length * spec.seeds.length };
    }
    const search = await searches.get(id);
    if (search === null) return null;
    const { committed, status } = search;
    return { committed, total: isTerminal(status) ? committed : Number.POSITIVE_INFINITY };
  };
}

/** Where a reader from step `from` begins in the log: there, or at the committed steps where that is less. */
export async function startOf(boundsOf: BoundsOf, id: string, from: number): Promise<number> {
  const bounds = await boundsOf(id);
  if (bounds === null) throw notFound(id);
  if (from > bounds.total) {
    const expected = `at most ${bounds.total}`;
    throw new ProblemError("invalid-request", `from: expected ${expected}`, [{ pointer: "/from", expected }]);
  }
  return Math.min(from, bounds.committed);
}
