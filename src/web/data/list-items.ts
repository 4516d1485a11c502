import type { ExperimentSummary } from "../../schemas/experiment-view.js";
import type { Row } from "../../schemas/list-query.js";
import type { Run } from "../../schemas/run.js";
import type { Search } from "../../schemas/search.js";

/** A row of the first page: a run, or a search or an experiment, which stands for all the runs that it has made. */
export type Item =
  | { readonly kind: "run"; readonly id: string; readonly row: Row; readonly run: Run }
  | { readonly kind: "search"; readonly id: string; readonly row: Row; readonly search: Search }
  | { readonly kind: "experiment"; readonly id: string; readonly row: Row; readonly experiment: ExperimentSummary };
export type Kind = Item["kind"];

const NO_LOSS = { stepsPerSecond: null, loss: null, trainLoss: null, validationLoss: null };

/** As src/store/rows.ts has it of the stored records. */
export function runItem(run: Run): Item {
  const { id, status, parent, spec, progress, result, bestValidation } = run;
  const row: Row = {
    ...{ id, status, parent, name: spec.name, labels: spec.labels, dataset: spec.dataset.name },
    schedules: spec.schedule === null ? [] : [spec.schedule.type],
    optimizer: spec.optimizer.type,
    steps: progress.steps,
    stepsPerSecond: progress.stepsPerSecond,
    loss: lossOf(run),
    trainLoss: result?.finalTrainLoss ?? null,
    validationLoss: result?.finalValidationLoss ?? bestValidation?.loss ?? null,
  };
  return { kind: "run", id, row, run };
}

/** Of what is over the train loss; before, the smoothed loss of the last step. */
export const lossOf = ({ result, progress }: Run): number | null => result?.finalTrainLoss ?? progress.loss;

export function searchItem(search: Search): Item {
  const { id, status, spec, answer } = search;
  const row: Row = {
    ...NO_LOSS,
    ...{ id, status, parent: null, name: spec.name, labels: spec.labels, dataset: spec.run.dataset.name },
    schedules: spec.schedules.map(({ request }) => request.type),
    optimizer: spec.run.optimizer.type,
    steps: spec.steps,
    validationLoss: answer?.winner?.loss ?? null,
  };
  return { kind: "search", id, row, search };
}

export function experimentItem(experiment: ExperimentSummary): Item {
  const { id, status, name, labels, best } = experiment;
  const row: Row = {
    ...NO_LOSS,
    ...{ id, status, parent: null, name, labels, dataset: "", schedules: [], optimizer: "", steps: 0 },
    validationLoss: best?.mean ?? null,
  };
  return { kind: "experiment", id, row, experiment };
}
