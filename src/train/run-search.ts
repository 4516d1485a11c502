import { createHash, randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { answer, createSearch, nextTasks, record } from "../core/finder/search.js";
import type { SearchAnswer, SearchResult, SearchState, SearchTask } from "../core/finder/search-state.js";
import { DEFAULT_LR_RANGE } from "../core/resolve.js";
import { childSpec, configOf } from "../core/resolve-search.js";
import { substituteRate } from "../core/schedules/auto-rate.js";
import { resolveSchedule } from "../core/schedules/resolve.js";
import { TERMINAL_STATUSES } from "../schemas/run.js";
import type { ScheduleRequest } from "../schemas/schedule.js";
import type { SearchSpec } from "../schemas/search.js";
import type {
  Claim,
  MetricsReader,
  RunRecord,
  RunStore,
  SearchRecord,
  SearchStore,
  Tail,
  Uncreated,
} from "../store/contract.js";
import { CRASH_LIMIT, type TrainingOutcome } from "./run-training.js";

export interface SearchDeps {
  readonly searches: SearchStore;
  readonly runs: RunStore;
  readonly metrics: MetricsReader;
  readonly tail: Tail;
  readonly enqueue: (runId: string, epoch: number) => Promise<void>;
  readonly log: Logger;
}

/** A child run and the tasks it answers: one for an arm, all of the sweeps at once as replicas of one run. */
interface Child {
  readonly runId: string;
  readonly tasks: readonly SearchTask[];
}

/**
 * One attempt at a search: makes the tasks of the state machine (src/core/finder/search.ts) into ordinary runs, and feeds it
 * with their results. Only the state machine's state is kept; a child's id follows from its task, so that after a crash the
 * next attempt finds the children that there are.
 */
export async function runSearch(
  deps: SearchDeps,
  searchId: string,
  epoch: number,
  signal: AbortSignal,
): Promise<TrainingOutcome> {
  const claim = await deps.searches.claim(searchId, randomUUID(), CRASH_LIMIT, epoch);
  if ("refused" in claim) {
    if (claim.refused === "canceled")
      await cancelChildren(deps, searchId, nextTasksOf(await deps.searches.get(searchId)));
    return "over";
  }
  const log = deps.log.child({ searchId, traceId: claim.record.traceId });
  const { spec } = claim.record;
  let state: SearchState = claim.record.state ?? createSearch(configOf(spec));
  let done = claim.record.committed;
  const canceled = watchForCancel(deps.tail, searchId, done);
  const stopped = aborted(AbortSignal.any([signal, canceled.signal]));
  try {
    while (state.stage !== "done") {
      const children = childrenOf(searchId, nextTasks(state));
      await Promise.all(children.map((child) => startChild(deps, claim.record, child)));
      for await (const [child, results] of finished(deps, children, stopped)) {
        for (const result of results) state = record(state, result);
        done += results.length;
        const progress = { stage: state.stage, done, pending: state.pending.length, run: child.runId };
        const reply = await deps.searches.advance(claim, done, state, progress);
        if (reply !== "continue") {
          if (reply === "canceled") await cancelChildren(deps, searchId, state.pending);
          return "over";
        }
      }
      if (canceled.signal.aborted) {
        await cancelChildren(deps, searchId, state.pending);
        await deps.searches.finish(claim, "canceled", null, null);
        return "over";
      }
      if (signal.aborted) {
        await deps.searches.release(claim);
        return "released";
      }
    }
    await conclude(deps, claim, answer(state));
    log.info({ done }, "search ended");
    return "over";
  } finally {
    canceled.stop();
  }
}

async function conclude(deps: SearchDeps, claim: Claim<SearchRecord>, found: SearchAnswer | null): Promise<void> {
  const { settles } = claim.record.spec;
  // First the run that waits: a crash here repeats this, and nothing else.
  if (settles !== null) await settle(deps, claim.id, settles, found);
  if (found === null) await deps.searches.finish(claim, "diverged", "every learning rate in the range diverged", null);
  else await deps.searches.finish(claim, "succeeded", null, found);
}

async function settle(
  deps: SearchDeps,
  searchId: string,
  { runId, request }: NonNullable<SearchSpec["settles"]>,
  found: SearchAnswer | null,
): Promise<void> {
  const run = await deps.runs.get(runId);
  if (run === null) return;
  if (found === null) return deps.runs.failWaiting(runId, "failed", `search ${searchId} found no rate: all diverged`);
  const [low, high] = request.lrRange ?? DEFAULT_LR_RANGE;
  const schedule = resolveSchedule(substituteRate(request.schedule as ScheduleRequest, found.lr), {
    steps: run.spec.steps,
    // A rate below the range asked for takes the range's low end down with it.
    lrRange: [Math.min(low, found.lr), high],
  });
  if (!schedule.ok) {
    const why = schedule.errors.map(({ pointer, expected }) => `${pointer}: expected ${expected}`).join("; ");
    return deps.runs.failWaiting(runId, "failed", `with the rate ${found.lr} that search ${searchId} found: ${why}`);
  }
  const [from, to] = found.interval.map((rate) => rate.toPrecision(3));
  const why = `lowest validation loss after ${found.stepsUsed} steps of search; best rate within [${from}, ${to}]`;
  const autoLr = { search: searchId, lr: found.lr, interval: [...found.interval] as [number, number], why };
  const epoch = await deps.runs.settle(runId, { ...run.spec, schedule: schedule.value }, autoLr);
  if (epoch !== null) await deps.enqueue(runId, epoch);
}

/** Ends the runs that wait for a search which is over without an answer. */
export async function releaseForsaken({ runs, searches }: Pick<SearchDeps, "runs" | "searches">): Promise<void> {
  for (const { id, waitsFor } of await runs.waiting()) {
    const search = await searches.get(waitsFor);
    if (search !== null && !TERMINAL_STATUSES.includes(search.status)) continue;
    const canceled = search === null || search.status === "canceled";
    await runs.failWaiting(id, canceled ? "canceled" : "failed", `search ${waitsFor} gave no rate`);
  }
}

/** Sweeps differ in their seeds only, which follow each other: they are one run with replicas. */
function childrenOf(searchId: string, tasks: readonly SearchTask[]): Child[] {
  const sweeps = tasks.filter(({ kind }) => kind === "sweep");
  const arms = tasks.filter(({ kind }) => kind === "arm").map((task) => [task]);
  return [...(sweeps.length > 0 ? [sweeps] : []), ...arms].map((group) => ({
    runId: childId(searchId, group[0]!.id),
    tasks: group,
  }));
}

/** As new-run ids are made, with the search's time and a digest in place of chance. */
function childId(searchId: string, taskId: string): string {
  const digest = createHash("sha256").update(`${searchId} ${taskId}`).digest("hex").slice(0, 14);
  return `run_${searchId.slice("search_".length, "search_".length + 9)}${BigInt(`0x${digest}`).toString(36).padStart(11, "0")}`;
}

async function startChild(
  deps: SearchDeps,
  { id: searchId, spec: search, traceId }: SearchRecord,
  { runId, tasks }: Child,
): Promise<void> {
  const [first] = tasks;
  const [start, end] = search.lrRange;
  const own = { steps: first!.steps, seed: first!.seed, replicas: tasks.length };
  const request: ScheduleRequest =
    first!.kind === "sweep" ? { type: "sweep", start, end } : { type: "constant", lr: first!.lr };
  const schedule = resolveSchedule(request, { steps: own.steps, lrRange: [start, end] });
  if (!schedule.ok) throw new Error(`a child of ${searchId}: ${schedule.errors[0]?.pointer}`);
  let created: RunRecord | Uncreated;
  do
    created = await deps.runs.create(runId, childSpec(search, searchId, { ...own, schedule: schedule.value }), {
      traceId,
    });
  while (created === "late");
  if (typeof created === "string") throw new Error(`a child run was not created: ${created}`);
  await deps.enqueue(runId, 0);
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}

/** Children with their results, as they end; ends early when `stopped` resolves. */
async function* finished(
  deps: SearchDeps,
  children: readonly Child[],
  stopped: Promise<null>,
): AsyncGenerator<[Child, SearchResult[]]> {
  const waiting = new Map(children.map((child) => [child, ended(deps.tail, child.runId).then(() => child)]));
  while (waiting.size > 0) {
    const child = await Promise.race([stopped, ...waiting.values()]);
    if (child === null) return;
    waiting.delete(child);
    yield [child, await resultsOf(deps, child)];
  }
}

/** Resolves when a run's log says that it is over, or when it is deleted. */
function ended(tail: Tail, runId: string): Promise<void> {
  return new Promise((resolve) => {
    const cursor = tail.follow(runId, 0, {
      hasRoom: () => true,
      send: (entry) => {
        if (entry.kind !== "status" || !TERMINAL_STATUSES.includes(entry.change.status)) return;
        cursor.close();
        resolve();
      },
      gone: resolve,
    });
    cursor.resume();
  });
}

/** A child that was canceled or deleted by hand, or failed, counts as diverged: the search goes on without it. */
async function resultsOf(deps: SearchDeps, { runId, tasks }: Child): Promise<SearchResult[]> {
  const run = await deps.runs.get(runId);
  const succeeded = run?.status === "succeeded";
  if (tasks[0]!.kind === "arm") {
    const validationLoss = succeeded ? run.result!.finalValidationLoss : null;
    return tasks.map(({ id }) => ({ id, validationLoss }));
  }
  const lr: number[] = [];
  const losses: number[][] = tasks.map(() => []);
  for await (const chunk of deps.metrics.chunks(runId, 0, run?.committed ?? 0)) {
    lr.push(...chunk.lr);
    for (const [k, loss] of (chunk.replicas ?? [chunk.loss]).entries()) losses[k]!.push(...loss);
  }
  return tasks.map(({ id }, k) => {
    const bad = losses[k]!.findIndex((loss) => !Number.isFinite(loss));
    const length = bad < 0 ? lr.length : bad;
    return { id, lr: lr.slice(0, length), loss: losses[k]!.slice(0, length) };
  });
}

function nextTasksOf(search: SearchRecord | null): readonly SearchTask[] {
  if (search === null) return [];
  return nextTasks(search.state ?? createSearch(configOf(search.spec)));
}

async function cancelChildren(deps: SearchDeps, searchId: string, tasks: readonly SearchTask[]): Promise<void> {
  await Promise.all(childrenOf(searchId, tasks).map(({ runId }) => deps.runs.cancel(runId)));
}

/** A cancel is seen in the search's own log, while its children train. */
function watchForCancel(tail: Tail, searchId: string, from: number): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const cursor = tail.follow(searchId, from, {
    hasRoom: () => true,
    send: (entry) => {
      if (entry.kind === "status" && entry.change.status === "canceling") controller.abort();
    },
    gone: () => controller.abort(),
  });
  cursor.resume();
  return { signal: controller.signal, stop: () => cursor.close() };
}
