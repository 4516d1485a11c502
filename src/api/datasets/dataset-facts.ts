import { sizesOf } from "../../core/memory.js";
import type { DatasetFacts } from "../../core/resolve.js";
import { BUILT_IN_DATASET } from "../../schemas/dataset.js";
import { type DatasetFinder, findDataset } from "../../store/built-in-dataset.js";
import { invalidRequest } from "../http/problems.js";

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
