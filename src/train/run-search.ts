import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { forsake } from "../core/forsake.js";
import { childSpec, configOf } from "../core/resolve-search.js";
import { isMetricDriven } from "../core/schedules/build.js";
import { resolveSchedule } from "../core/schedules/resolve.js";
import { answerOf, standingOf } from "../core/search/answer.js";
import { scheduleAt } from "../core/search/portfolio.js";
import { createSearch, withResult } from "../core/search/search.js";
import type { SearchResult, SearchState } from "../core/search/state.js";
import type { ScheduleSpec } from "../schemas/schedule.js";
import type { SearchAnswer, SearchSpec } from "../schemas/search.js";
import type { SearchTask } from "../schemas/stored-search.js";
import { childId } from "../store/child-id.js";
import type { Claim, MetricsReader, SearchRecord, SearchStore } from "../store/contract.js";
import {
  type Child,
  type ChildDeps,
  cancelChildren,
  ended,
  lossesOf,
  NoResultError,
  startChildren,
  watchForCancel,
  watchForDeadline,
} from "./children.js";
import { CRASH_LIMIT, type TrainingOutcome } from "./run-training.js";

export interface SearchDeps extends ChildDeps {
  readonly searches: SearchStore;
  readonly metrics: MetricsReader;
  readonly log: Logger;
}

/** The runs that a task is trained by: one with a replica for each seed, or, where a schedule looks at the loss, one a seed. */
interface Work {
  readonly task: SearchTask;
  readonly children: readonly Child[];
}

/**
 * One attempt at a search: makes the tasks of the state machine (src/core/search) into runs that belong to it, and feeds it
 * with their results. Only the results are kept; all else follows from them.
 */
export async function runSearch(
  deps: SearchDeps,
  searchId: string,
  epoch: number,
  signal: AbortSignal,
): Promise<TrainingOutcome> {
  const claim = await deps.searches.claim(searchId, randomUUID(), CRASH_LIMIT, epoch, deps.worker);
  if ("refused" in claim) {
    if (claim.refused === "canceled") await endCanceled(deps, searchId);
    return "over";
  }
  const log = deps.log.child({ searchId, traceId: claim.record.traceId });
  const canceled = watchForCancel(deps.tail, searchId, claim.record.committed);
  const due = await watchForDeadline(deps.runs, claim.record.spec.deadline);
  const stopped = AbortSignal.any([signal, canceled.signal, due.signal]);
  let state = stateOf(claim.record);
  let done = claim.record.committed;
  try {
    while (state.stage !== "done" && !due.signal.aborted) {
      const works = state.pending.map((task) => workOf(claim.record, task));
      await startChildren(
        deps,
        claim.record,
        works.flatMap(({ children }) => children),
      );
      for await (const work of worked(deps, works, stopped)) {
        state = withResult(state, await resultOf(deps, work));
        done += work.task.seeds.length;
        const { config: _, ...stored } = state;
        const reply = await deps.searches.advance(claim, done, stored, progressOf(state, done, work));
        if (reply === "continue") continue;
        if (reply === "canceled") await endCanceled(deps, searchId);
        return "over";
      }
      if (canceled.signal.aborted) {
        await cancelPending(deps, claim.record, state);
        await deps.searches.finish(claim, "canceled", null, null);
        await forsake(deps.runs, claim.record);
        return "over";
      }
      if (signal.aborted) {
        await deps.searches.release(claim);
        return "released";
      }
    }
    const isCut = state.stage !== "done";
    if (isCut) await cancelPending(deps, claim.record, state);
    await conclude(deps, claim, answerOf(state, claim.record.spec.run, isCut));
    log.info({ done }, "search ended");
    return "over";
  } catch (error) {
    if (!(error instanceof NoResultError)) throw error;
    const reason = `a training of it has no result: ${error.message}`;
    await cancelPending(deps, claim.record, state);
    const { settles } = claim.record.spec;
    if (settles !== null) await deps.runs.failWaiting(settles.runId, "failed", `search ${searchId}: ${reason}`);
    await deps.searches.finish(claim, "failed", reason, null);
    return "over";
  } finally {
    canceled.stop();
    due.stop();
  }
}

function stateOf({ spec, state }: SearchRecord): SearchState {
  const config = configOf(spec);
  return state === null ? createSearch(config) : { ...state, config };
}

/** What a reader of the stream is told as each task ends. */
function progressOf(state: SearchState, done: number, { task, children }: Work): object {
  const arm =
    task.kind === "sweep"
      ? null
      : {
          schedule: state.config.candidates[task.candidate]!.name,
          lr: task.lr,
          steps: task.steps,
          losses: task.seeds.map((seed) => lossIn(state, task, seed)),
        };
  const standing = standingOf(state).map(({ schedule, lr, interval, loss, basis, difference, tied }) => ({
    ...{ schedule, lr, interval, loss, basis, difference, tied },
  }));
  return {
    stage: state.stage,
    done,
    pending: state.pending.reduce((sum, { seeds }) => sum + seeds.length, 0),
    steps: state.trials.reduce((sum, { steps }) => sum + steps, 0),
    runs: children.map(({ runId }) => runId),
    arm,
    standing,
  };
}

function lossIn({ trials }: SearchState, { candidate, lr, steps }: Extract<SearchTask, { kind: "arm" }>, seed: number) {
  return (
    trials.find((t) => t.seed === seed && t.candidate === candidate && t.lr === lr && t.steps === steps)?.loss ?? null
  );
}

async function conclude(deps: SearchDeps, claim: Claim<SearchRecord>, answer: SearchAnswer): Promise<void> {
  const { settles } = claim.record.spec;
  // First the run that waits: a crash here repeats this, and nothing else.
  if (settles !== null) await settle(deps, claim.id, settles.runId, answer);
  if (answer.winner === null)
    await deps.searches.finish(
      claim,
      answer.complete ? "diverged" : "failed",
      answer.warnings[0] ?? answer.summary,
      answer,
    );
  else await deps.searches.finish(claim, "succeeded", null, answer);
}

/** Gives the answer to the run that waits for it, with what is to be said against it. */
async function settle(deps: SearchDeps, search: string, runId: string, answer: SearchAnswer): Promise<void> {
  const run = await deps.runs.get(runId);
  if (run === null) return;
  const { winner, ranking, warnings, basis, cost } = answer;
  if (winner === null) {
    return deps.runs.failWaiting(runId, "failed", `search ${search} found no rate: ${warnings[0] ?? answer.summary}`);
  }
  const schedule = ranking[0]!.spec as ScheduleSpec;
  const epoch = await deps.runs.settle(
    runId,
    { ...run.spec, schedule },
    {
      search,
      lr: winner.lr,
      interval: [...ranking[0]!.interval!],
      why: answer.summary,
      schedule: winner.schedule,
      basis: basis!.kind,
      stepsUsed: cost.steps,
      warnings,
    },
  );
  if (epoch !== null) await deps.enqueue(runId, epoch);
}

function workOf({ id, spec }: Pick<SearchRecord, "id" | "spec">, task: SearchTask): Work {
  const schedule = scheduleOf(spec, task);
  const groups = isMetricDriven(schedule) ? task.seeds.map((seed) => [seed]) : [task.seeds];
  const children = groups.map((seeds) => ({
    runId: childId(id, groups.length === 1 ? task.id : `${task.id} ${seeds[0]}`),
    // Replicas take the seeds that follow each other from the first on; a task's do.
    spec: childSpec(spec.run, { schedule, steps: task.steps, seed: seeds[0]!, replicas: seeds.length }),
  }));
  return { task, children };
}

function scheduleOf({ schedules, steps, lrRange: [start, end] }: SearchSpec, task: SearchTask): ScheduleSpec {
  const schedule =
    task.kind === "sweep"
      ? resolveSchedule({ type: "sweep", start, end }, { steps: task.steps, lrRange: [start, end] })
      : scheduleAt(schedules[task.candidate]!.request, task.lr, task.steps, steps);
  if (!schedule.ok)
    throw new Error(`task ${task.id}: ${schedule.errors[0]?.pointer} expected ${schedule.errors[0]?.expected}`);
  return schedule.value;
}

/** Tasks whose runs are all over, as they end. */
async function* worked(deps: SearchDeps, works: readonly Work[], signal: AbortSignal): AsyncGenerator<Work> {
  const left = new Map(works.map((work) => [work, work.children.length]));
  const children = works.flatMap((work) => work.children.map((child) => ({ ...child, work })));
  for await (const { work } of ended(deps.tail, children, signal)) {
    left.set(work, left.get(work)! - 1);
    if (left.get(work) === 0) yield work;
  }
}

async function resultOf(deps: SearchDeps, { task, children }: Work): Promise<SearchResult> {
  if (task.kind === "arm") {
    const losses = await Promise.all(children.map((child) => lossesOf(deps.runs, child)));
    return { id: task.id, losses: losses.flat() };
  }
  const lr: number[] = [];
  const losses: number[][] = task.seeds.map(() => []);
  const { runId } = children[0]!;
  const run = await deps.runs.get(runId);
  if (run === null || run.status === "canceled" || run.status === "failed") {
    throw new NoResultError(`${runId} was ${run?.status ?? "deleted"}`);
  }
  for await (const chunk of deps.metrics.chunks(runId, 0, run.committed)) {
    lr.push(...chunk.lr);
    for (const [k, loss] of (chunk.replicas ?? [chunk.loss]).entries()) losses[k]!.push(...loss);
  }
  const sweeps = task.seeds.map((seed, k) => {
    const bad = losses[k]!.findIndex((loss) => !Number.isFinite(loss));
    const length = bad < 0 ? lr.length : bad;
    return { seed, lr: lr.slice(0, length), loss: losses[k]!.slice(0, length) };
  });
  return { id: task.id, sweeps };
}

/** A search that was canceled: so is what it has under way, and the run that waits for it. */
async function endCanceled(deps: SearchDeps, searchId: string): Promise<void> {
  const record = await deps.searches.get(searchId);
  if (record === null) return;
  await cancelPending(deps, record);
  await forsake(deps.runs, record);
}

async function cancelPending({ runs }: SearchDeps, record: SearchRecord, state?: SearchState): Promise<void> {
  const { pending } = state ?? stateOf(record);
  await cancelChildren(
    runs,
    pending.flatMap((task) => workOf(record, task).children),
  );
}
