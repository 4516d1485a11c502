import type { ExperimentReport } from "../schemas/experiment.js";
import type { Row } from "../schemas/list-query.js";
import type { StoredOverview } from "../schemas/overview.js";
import type { RunResult, RunSpec } from "../schemas/run.js";
import type { SearchAnswer, SearchSpec } from "../schemas/search.js";
import type { RunStatus } from "../schemas/status.js";
import type { ExperimentSpec } from "../schemas/stored-experiment.js";
import type { RowReader } from "./listing.js";

type Fields = Readonly<Record<string, string>>;

const COMMON = ["status", "spec", "parent", "name", "labels"] as const;

/** Not checked against its schema as a whole record's is: a list looks at thousands. */
const json = <T>(fields: Fields, name: string): T | null =>
  fields[name] === undefined ? null : (JSON.parse(fields[name]) as T);

/** What all kinds have; an annotation stands in for the spec's name and labels. */
function common(fields: Fields, spec: { readonly name: string | null; readonly labels: readonly string[] }) {
  return {
    id: fields.id!,
    status: fields.status as RunStatus,
    parent: fields.parent ?? null,
    name: fields.name === undefined ? spec.name : fields.name || null,
    labels: json<string[]>(fields, "labels") ?? spec.labels,
    stepsPerSecond: null,
    loss: null,
    trainLoss: null,
    validationLoss: null,
  };
}

export const RUN_ROWS: RowReader = {
  kind: "run",
  fields: [...COMMON, "committed", "stepsPerSecond", "waitsFor"],
  losses: ["result", "overview"],
  row: (fields): Row => {
    const spec = json<RunSpec>(fields, "spec")!;
    const result = json<RunResult>(fields, "result");
    const overview = json<StoredOverview>(fields, "overview");
    const rate = fields.stepsPerSecond;
    return {
      ...common(fields, spec),
      dataset: spec.dataset.name,
      schedules: fields.waitsFor === undefined ? [spec.schedule.type] : [],
      optimizer: spec.optimizer.type,
      steps: Number(fields.committed),
      stepsPerSecond: rate === undefined ? null : Number(rate),
      loss: result?.finalTrainLoss ?? overview?.smoothed ?? null,
      trainLoss: result?.finalTrainLoss ?? null,
      validationLoss: result?.finalValidationLoss ?? overview?.best?.loss ?? null,
    };
  },
};

export const SEARCH_ROWS: RowReader = {
  kind: "search",
  fields: COMMON,
  losses: ["result"],
  row: (fields): Row => {
    const spec = json<SearchSpec>(fields, "spec")!;
    return {
      ...common(fields, spec),
      dataset: spec.run.dataset.name,
      schedules: spec.schedules.map(({ request }) => request.type),
      optimizer: spec.run.optimizer.type,
      steps: spec.steps,
      validationLoss: json<SearchAnswer>(fields, "result")?.winner?.loss ?? null,
    };
  },
};

export const EXPERIMENT_ROWS: RowReader = {
  kind: "experiment",
  fields: COMMON,
  losses: ["result"],
  row: (fields): Row => {
    const spec = json<ExperimentSpec>(fields, "spec")!;
    const { run } = spec.arms[0]!;
    const report = json<ExperimentReport>(fields, "result");
    return {
      ...common(fields, spec),
      dataset: run.dataset.name,
      schedules: [...new Set(spec.arms.map((arm) => arm.run.schedule.type))],
      optimizer: run.optimizer.type,
      steps: run.steps,
      validationLoss: report === null || report.best === null ? null : report.arms[report.best]!.mean,
    };
  },
};
