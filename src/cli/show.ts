import type { Estimate, Experiment, Run, Search } from "../client/index.js";
import { short, table } from "./output.js";

const range = (interval: readonly number[] | null | undefined) =>
  interval === null || interval === undefined ? null : `${short(interval[0])} to ${short(interval[1])}`;

/** The dashboard's page of a record. */
const pageOf = (url: string, kind: "runs" | "searches" | "experiments", id: string) => `${url}/#/${kind}/${id}`;

const lines = (...parts: readonly (string | null)[]) => parts.filter((part) => part !== null && part !== "").join("\n");

/** What came of a run. */
export function runText({ id, spec, status, reason, progress, result, autoLr, warnings }: Run, url: string): string {
  const name = spec.name === null ? "" : `${spec.name}  `;
  return lines(
    `${id}  ${name}${spec.schedule?.type ?? "auto"}  ${status}`,
    reason,
    autoLr === null ? null : `lr ${short(autoLr.lr)} (95 %: ${range(autoLr.interval)}): ${autoLr.why}`,
    `${short(progress.steps)} of ${short(progress.total)} steps`,
    result === null
      ? null
      : `train loss ${short(result.finalTrainLoss)}  validation loss ${short(result.finalValidationLoss)} nats  in ${short(result.wallSeconds)} s`,
    ...warnings.map(({ message }) => `warning: ${message}`),
    pageOf(url, "runs", id),
  );
}

/** What a search has found: the answer in a sentence, and the ranking with its intervals. */
export function searchText({ id, status, reason, answer, progress }: Search, url: string): string {
  const found = answer?.ranking.map(({ schedule, lr, interval, loss, difference, tied, basis }) => ({
    schedule,
    lr,
    "rate, 95 %": range(interval),
    loss,
    "to the best, 95 %": range(difference?.interval),
    tied: tied ? "yes" : "no",
    basis: basis.kind,
  }));
  return lines(
    `${id}  ${status}`,
    // Without a winner the reason is the summary, and the first of the warnings.
    reason === answer?.summary ? null : reason,
    ...(answer === null
      ? [`${progress.stage}: ${short(progress.done)} trainings done, ${short(progress.pending)} to do`]
      : [
          answer.summary,
          table(found!),
          ...answer.warnings.filter((text) => text !== answer.summary).map((text) => `warning: ${text}`),
        ]),
    pageOf(url, "searches", id),
  );
}

/** What an experiment has found: every arm against the baseline. */
export function experimentText({ id, status, reason, report }: Experiment, url: string): string {
  const rows = report.arms.map(({ name, mean, interval, diverged, difference }) => ({
    arm: name,
    mean,
    interval: range(interval),
    diverged,
    "to the baseline": difference?.text ?? "baseline",
    verdict: difference?.verdict ?? null,
  }));
  return lines(
    `${id}  ${status}`,
    reason,
    table(rows),
    `${short(report.seeds.length)} seeds, confidence ${report.confidence}${report.complete ? "" : ", not complete"}`,
    pageOf(url, "experiments", id),
  );
}

/** What a request would cost. */
export function estimateText({ trainings, steps, seconds, secondsOneCore, bytes, basis }: Estimate): string {
  const time = seconds === null ? `${short(secondsOneCore)} s of a core (no worker now)` : `${short(seconds)} s`;
  return `${short(trainings)} trainings, ${short(steps)} steps, ${time}, ${basis}; ${short(bytes)} bytes kept`;
}
