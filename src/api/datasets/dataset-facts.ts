import { datasetStatistics, parseDataset } from "../../core/dataset.js";
import type { DatasetFacts } from "../../core/resolve.js";
import { BUILT_IN_DATASET, type DatasetStatistics } from "../../schemas/dataset.js";
import { builtInDataset } from "../../store/built-in-dataset.js";
import type { DatasetEntry, DatasetStore } from "../../store/contract.js";
import { invalidRequest } from "../http/problems.js";

let builtIn: DatasetStatistics | undefined;

/** Of the dataset that needs no store. */
export function builtInStatistics(): DatasetStatistics {
  builtIn ??= datasetStatistics(parseDataset(builtInDataset().text.toString("utf8")));
  return builtIn;
}

/** Where datasets that are not built in are found. */
export type DatasetFinder = Pick<DatasetStore, "get">;

/** Built in, or somebody's; null: there is none of that name. */
export async function findDataset(
  datasets: DatasetFinder,
  name: string,
): Promise<Pick<DatasetEntry, "digest" | "statistics"> | null> {
  return name === BUILT_IN_DATASET
    ? { digest: builtInDataset().digest, statistics: builtInStatistics() }
    : datasets.get(name);
}

/** What a spec is checked against. `pointer`: the field that names it. */
export async function datasetFacts(
  datasets: DatasetFinder,
  name = BUILT_IN_DATASET,
  pointer = "/dataset",
): Promise<DatasetFacts> {
  const entry = await findDataset(datasets, name);
  if (entry === null) {
    const expected = `the name of a dataset; \`${BUILT_IN_DATASET}\` is built in, GET /v1/datasets lists all`;
    throw invalidRequest([{ pointer, expected }]);
  }
  return { name, digest: entry.digest, ...sizesOf(entry.statistics) };
}

/** Of the facts those that decide what a run takes. */
export function sizesOf({ symbols, splits: { train, validation, test } }: DatasetStatistics) {
  const examples = train.examples + validation.examples + test.examples;
  return { vocabSize: symbols.length, trainExamples: train.examples, examples };
}
