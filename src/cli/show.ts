import type { Estimate, Experiment, Run, Search } from "../client/index.js";
import { print, short, table } from "./output.js";

const range = (interval: readonly number[] | null | undefined) =>
  interval === null || interval === undefined ? null : `${short(interval[0])} to ${short(interval[1])}`;

/** The addresses of pages are the dashboard's. */
export const pageOf = (url: string, kind: "runs" | "searches" | "experiments", id: string) => `${url}/#/${kind}/${id}`;

/** What came of a run. */
export function showRun(run: Run, url: string): void {
  const { id, spec, status, reason, progress, result, warnings } = run;
  print(`${id}  ${spec.name ?? ""}${spec.name === null ? "" : "  "}${spec.schedule?.type ?? "auto"}  ${status}`);
  if (reason !== null) print(reason);
  print(`${short(progress.steps)} of ${short(progress.total)} steps`);
  if (result !== null) {
    const { finalTrainLoss: train, finalValidationLoss: validation, wallSeconds } = result;
    print(`train loss ${short(train)}  validation loss ${short(validation)} nats  in ${short(wallSeconds)} s`);
  }
  for (const { message } of warnings) print(`warning: ${message}`);
  print(pageOf(url, "runs", id));
}

/** What a search has found: the answer in a sentence, and the ranking with its intervals. */
export function showSearch(search: Search, url: string): void {
  const { id, status, reason, answer } = search;
  print(`${id}  ${status}`);
  if (reason !== null) print(reason);
  if (answer !== null) {
    print(answer.summary);
    const rows = answer.ranking.map(({ schedule, lr, interval, loss, difference, tied, basis }) => ({
      schedule,
      lr,
      "rate, 95 %": range(interval),
      loss,
      "to the best, 95 %": range(difference?.interval),
      tied: tied ? "yes" : "no",
      basis: basis.kind,
    }));
    print(table(rows));
    for (const warning of answer.warnings) print(`warning: ${warning}`);
  }
  print(pageOf(url, "searches", id));
}

/** What an experiment has found: every arm against the baseline. */
export function showExperiment(experiment: Experiment, url: string): void {
  const { id, status, reason, report } = experiment;
  print(`${id}  ${status}`);
  if (reason !== null) print(reason);
  const rows = report.arms.map(({ name, mean, interval, diverged, difference }) => ({
    arm: name,
    mean,
    interval: range(interval),
    diverged,
    "to the baseline": difference?.text ?? "baseline",
    verdict: difference?.verdict ?? null,
  }));
  print(table(rows));
  print(
    `${short(report.seeds.length)} seeds, confidence ${report.confidence}${report.complete ? "" : ", not complete"}`,
  );
  print(pageOf(url, "experiments", id));
}

/** What a request would cost. */
export function showEstimate(estimate: Estimate, { json }: { readonly json?: boolean }): void {
  print(json ? JSON.stringify(estimate) : estimateText(estimate));
}

export function estimateText({ trainings, steps, seconds, secondsOneCore, bytes, basis }: Estimate): string {
  const time = seconds === null ? `${short(secondsOneCore)} s of a core (no worker now)` : `${short(seconds)} s`;
  return `${short(trainings)} trainings, ${short(steps)} steps, ${time}, ${basis}; ${short(bytes)} bytes kept`;
}
