import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import { type RunStatus, TERMINAL_STATUSES } from "../../schemas/run.js";
import type { RunStore } from "../../store/contract.js";
import type { RunFilter } from "../http/paging.js";
import { invalidRequest } from "../http/problems.js";
import { type ControlDeps, cancelRun, deleteRun, pauseRun, resumeRun } from "./control-run.js";

const isOver = (status: RunStatus) => TERMINAL_STATUSES.includes(status);

/** What can be done to all runs that match, and to which of them it can. */
const ACTIONS = {
  pause: { on: (status: RunStatus) => status === "queued" || status === "running", act: pauseRun },
  resume: { on: (status: RunStatus) => status === "paused", act: resumeRun },
  cancel: { on: (status: RunStatus) => !isOver(status) && status !== "canceling", act: cancelRun },
  delete: { on: (status: RunStatus) => isOver(status) || status === "queued" || status === "paused", act: deleteRun },
} as const;
export type BulkAction = keyof typeof ACTIONS;
export const BULK_ACTIONS = Object.keys(ACTIONS) as BulkAction[];

export interface BulkRequest {
  readonly action: BulkAction;
  readonly query: RunFilter;
  readonly confirm?: number;
}

export interface BulkAnswer {
  matched: number;
  eligible: number;
  done: number;
  remaining: number;
}

const AT_ONCE = 16;

/**
 * Acts on the runs that match, the newest LIMITS.bulkRuns of those it can be done to. Without `confirm` it only counts them;
 * with it, it must be their number, so that nothing is done to runs that nobody has seen.
 */
export async function actOnAll(
  deps: ControlDeps & { readonly runs: Pick<RunStore, "survey"> },
  { action, query, confirm }: BulkRequest,
): Promise<BulkAnswer> {
  const { on, act } = ACTIONS[action];
  const { found } = await deps.runs.survey(query);
  const eligible = found.filter(({ status }) => on(status));
  const told = { matched: found.length, eligible: eligible.length, done: 0, remaining: eligible.length };
  if (confirm === undefined) return told;
  if (confirm !== eligible.length) {
    const expected = `${eligible.length}, the number of runs that match and can be ${PAST[action]} by now`;
    throw invalidRequest([{ pointer: "/confirm", expected }]);
  }
  const chosen = eligible.slice(0, LIMITS.bulkRuns);
  for (let i = 0; i < chosen.length; i += AT_ONCE) {
    const outcomes = await Promise.all(chosen.slice(i, i + AT_ONCE).map(({ id }) => isDone(act(deps, id))));
    told.done += outcomes.filter((done) => done).length;
  }
  return { ...told, remaining: eligible.length - told.done };
}

const PAST: Readonly<Record<BulkAction, string>> = {
  pause: "paused",
  resume: "resumed",
  cancel: "canceled",
  delete: "deleted",
};

/** One that has ended, or gone, meanwhile is passed over. */
async function isDone(action: Promise<unknown>): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (error) {
    if (error instanceof ProblemError && (error.code === "conflict" || error.code === "not-found")) return false;
    throw error;
  }
}
