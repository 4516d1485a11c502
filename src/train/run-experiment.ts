import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { affordable, nameOf, reportOf, runOf, type Training } from "../core/experiment/trainings.js";
import type { StoredExperimentState, TrainingResult } from "../schemas/stored-experiment.js";
import { childId } from "../store/child-id.js";
import type { Claim, ExperimentRecord, ExperimentStore, RunStore } from "../store/contract.js";
import {
  type Child,
  type ChildDeps,
  cancelChildren,
  Endings,
  startChildren,
  watchForCancel,
  watchForDeadline,
} from "./children.js";
import { CRASH_LIMIT, type TrainingOutcome } from "./run-training.js";

export interface ExperimentDeps extends ChildDeps {
  readonly experiments: ExperimentStore;
  readonly log: Logger;
}

/** The runs of an experiment that wait or train at once: enough for many workers, and others' runs have few before them. */
export const WINDOW = 64;

type Work = Child & Training;

/**
 * One attempt at an experiment: makes each arm with each seed into a run that belongs to it. Only the results are kept; the
 * report is a function of them, so neither their order nor a crash between two of them changes a byte of it.
 */
export async function runExperiment(
  deps: ExperimentDeps,
  id: string,
  epoch: number,
  signal: AbortSignal,
): Promise<TrainingOutcome> {
  const { experiments, runs, tail } = deps;
  const claim = await experiments.claim(id, randomUUID(), CRASH_LIMIT, epoch, deps.worker);
  if ("refused" in claim) {
    const record = claim.refused === "canceled" ? await experiments.get(id) : null;
    if (record !== null) await cancelChildren(runs, worksLeft(record));
    return "over";
  }
  const { record } = claim;
  const log = deps.log.child({ experimentId: id, traceId: record.traceId });
  const canceled = watchForCancel(tail, id, record.committed);
  const due = await watchForDeadline(runs, record.spec.deadline);
  const stopped = AbortSignal.any([signal, canceled.signal, due.signal]);
  const endings = new Endings<Work>(tail);
  let results = record.state?.results ?? [];
  const left = worksLeft(record);
  const cancel = () => cancelChildren(runs, worksLeft({ ...record, state: { results } }));
  try {
    for (let under = 0; (under > 0 || left.length > 0) && !stopped.aborted; ) {
      const next = left.splice(0, WINDOW - under);
      await startChildren(deps, record, next);
      for (const work of next) endings.add(work);
      under += next.length;
      const over = await endings.next(stopped);
      if (over.length === 0) break;
      under -= over.length;
      const fresh = await Promise.all(over.map((work) => resultOf(runs, work)));
      results = inOrder([...results, ...fresh]);
      const reply = await experiments.advance(claim, results.length, { results }, progressOf(record, results, fresh));
      if (reply === "continue") continue;
      if (reply === "canceled") await cancel();
      return "over";
    }
    if (canceled.signal.aborted) {
      await cancel();
      await experiments.finish(claim, "canceled", null, null);
      return "over";
    }
    if (signal.aborted) {
      await experiments.release(claim);
      return "released";
    }
    if (due.signal.aborted) await cancel();
    await conclude(deps, claim, results, due.signal.aborted);
    log.info({ trainings: results.length }, "experiment ended");
    return "over";
  } finally {
    endings.close();
    canceled.stop();
    due.stop();
  }
}

/** The trainings that have no result yet, in the order in which they are begun. */
function worksLeft({ id, spec, state }: Pick<ExperimentRecord, "id" | "spec" | "state">): Work[] {
  const done = new Set(state?.results.map((result) => nameOf(spec, result)));
  return affordable(spec)
    .filter((training) => !done.has(nameOf(spec, training)))
    .map((training) => ({ ...training, runId: childId(id, nameOf(spec, training)), spec: runOf(spec, training) }));
}

function inOrder(results: readonly TrainingResult[]): StoredExperimentState["results"] {
  return results.toSorted((a, b) => a.seed - b.seed || a.arm - b.arm);
}

/** What came of a training. A run that was failed, canceled or deleted says nothing about its arm. */
async function resultOf(runs: RunStore, { arm, seed, runId }: Work): Promise<TrainingResult> {
  const run = await runs.get(runId);
  if (run === null) return { arm, seed, loss: null, steps: 0, failure: `${runId} was deleted` };
  const result = { arm, seed, loss: run.result?.finalValidationLoss ?? null, steps: run.committed };
  if (run.status === "succeeded") return result;
  if (run.status === "diverged") return { ...result, loss: null };
  const failure = `${runId} was ${run.status}${run.reason === null ? "" : `: ${run.reason}`}`;
  return { ...result, loss: null, failure };
}

/** What a reader of the stream is told as trainings end. */
function progressOf(
  { id, spec }: ExperimentRecord,
  results: readonly TrainingResult[],
  fresh: readonly TrainingResult[],
): object {
  return {
    done: results.length,
    pending: spec.arms.length * spec.seeds.length - results.length,
    steps: results.reduce((sum, { steps }) => sum + steps, 0),
    results: fresh.map((result) => ({
      arm: spec.arms[result.arm]!.name,
      seed: spec.seeds[result.seed]!,
      loss: result.loss,
      failure: result.failure ?? null,
      runId: childId(id, nameOf(spec, result)),
    })),
  };
}

async function conclude(
  { experiments }: ExperimentDeps,
  claim: Claim<ExperimentRecord>,
  results: readonly TrainingResult[],
  isDue: boolean,
): Promise<void> {
  const { id, spec } = claim.record;
  const report = reportOf(spec, results, (training) => childId(id, nameOf(spec, training)));
  const failures = results.flatMap(({ failure }) => failure ?? []);
  const all = spec.arms.length * spec.seeds.length;
  const cut = `its budget (${isDue ? "deadline" : "steps"}) left out ${all - results.length} of ${all} trainings`;
  if (failures.length === 0) await experiments.finish(claim, "succeeded", results.length === all ? null : cut, report);
  else {
    const why = `${failures.length} of ${results.length} trainings have no result, so their seeds do not count: ${failures[0]}`;
    await experiments.finish(claim, "failed", why, report);
  }
}
