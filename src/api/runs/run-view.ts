import { endOf } from "../../core/budget.js";
import { pictureOf } from "../../core/overview.js";
import { engineWarnings, resultWarnings } from "../../core/warnings.js";
import type { Run } from "../../schemas/run.js";
import type { RunRecord } from "../../store/contract.js";
import { isoTime } from "../http/iso-time.js";

/** A stored run as clients see it. */
export function toRun(record: RunRecord): Run {
  const { id, spec, committed, stepsPerSecond, overview, advice } = record;
  const remaining = record.status === "running" && stepsPerSecond ? (endOf(spec) - committed) / stepsPerSecond : null;
  const self = `/v1/runs/${id}`;
  return {
    id,
    status: record.status,
    reason: record.reason,
    pauseRequested: record.pauseRequested,
    waitsFor: record.waitsFor,
    autoLr: record.autoLr === null ? null : { ...record.autoLr, interval: [...record.autoLr.interval] },
    parent: record.parent,
    // What stands there until the search has answered is no one's choice.
    spec: record.waitsFor === null ? spec : { ...spec, schedule: null },
    progress: {
      steps: committed,
      total: spec.steps,
      stepsPerSecond,
      etaSeconds: remaining === null ? null : Math.round(remaining * 10) / 10,
      loss: overview?.smoothed ?? null,
    },
    overview: overview && pictureOf(overview),
    startLoss: overview?.first ?? null,
    bestValidation: bestOf(record),
    notes: record.notes,
    result: record.result,
    worker: record.worker,
    warnings: [
      ...(advice?.warnings ?? []),
      ...engineWarnings(spec, record.engineBuild),
      ...(advice === null ? [] : resultWarnings(record.result, advice.guessLoss)),
    ],
    engineBuild: record.engineBuild,
    numerics: record.numerics,
    traceId: record.traceId,
    attempts: record.attempts,
    createdAt: isoTime(record.createdAt),
    startedAt: isoTime(record.startedAt),
    finishedAt: isoTime(record.finishedAt),
    links: { self, metrics: `${self}/metrics`, stream: `${self}/stream`, events: `${self}/events` },
  };
}

/** The last evaluation, at the run's end, counts too. */
function bestOf({ overview, result }: RunRecord): Run["bestValidation"] {
  const best = overview?.best ?? null;
  const final = result?.finalValidationLoss ?? null;
  return final === null || (best !== null && best.loss <= final) ? best : { step: result!.steps, loss: final };
}
