import { nameOf, reportOf } from "../../core/experiment/trainings.js";
import type { Experiment, ExperimentSummary } from "../../schemas/experiment-view.js";
import { childId } from "../../store/child-id.js";
import type { ExperimentRecord } from "../../store/contract.js";
import { isoTime } from "../http/iso-time.js";

/** A stored experiment as clients see it; the report is of what has landed, where it is not over. */
export function toExperiment(record: ExperimentRecord): Experiment {
  const { id, spec, state, report } = record;
  const runId = (training: Parameters<typeof nameOf>[1]) => childId(id, nameOf(spec, training));
  return {
    ...common(record),
    spec,
    warnings: record.advice?.warnings ?? [],
    report: report ?? reportOf(spec, state?.results ?? [], runId),
  };
}

export function toSummary(record: ExperimentRecord): ExperimentSummary {
  const { name, labels, arms, seeds } = record.spec;
  const { report } = record;
  const best = report === null || report.best === null ? null : report.arms[report.best]!;
  return {
    ...common(record),
    ...{ name, labels, arms: arms.map((arm) => arm.name), seeds: seeds.length },
    best: best && { arm: best.name, mean: best.mean, ties: report!.ties.length },
  };
}

function common({ id, status, reason, spec, state, committed, createdAt, startedAt, finishedAt }: ExperimentRecord) {
  const self = `/v1/experiments/${id}`;
  return {
    id,
    status,
    reason,
    progress: {
      done: committed,
      pending: spec.arms.length * spec.seeds.length - committed,
      steps: state?.results.reduce((sum, { steps }) => sum + steps, 0) ?? 0,
    },
    createdAt: isoTime(createdAt),
    startedAt: isoTime(startedAt),
    finishedAt: isoTime(finishedAt),
    links: { self, runs: `/v1/runs?parent=${id}`, stream: `${self}/stream`, events: `${self}/events` },
  };
}
