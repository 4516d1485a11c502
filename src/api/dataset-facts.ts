import { parseDataset, splitExamples } from "../core/dataset.js";
import type { DatasetFacts } from "../core/resolve.js";
import { ProblemError } from "../spec/problem.js";
import type { DatasetText } from "../store/datasets.js";

const known = new Map<string, Pick<DatasetFacts, "vocabSize" | "trainExamples">>();

/** The symbols of a dataset, by index. */
export function datasetSymbols(source: DatasetText | null): readonly string[] {
  if (source === null) throw new ProblemError("conflict", "The run's dataset is gone");
  return parseDataset(source.text).symbols;
}

/** What a spec is checked against. A dataset never changes, so its facts are computed once. */
export function datasetFacts(source: DatasetText | null, contextLength: number): DatasetFacts {
  if (source === null) {
    throw new ProblemError("invalid-request", "There is no such dataset", [
      { pointer: "/dataset", expected: "the name of a dataset; `names` is built in" },
    ]);
  }
  const { name, digest, text } = source;
  let facts = known.get(digest);
  if (facts === undefined) {
    const dataset = parseDataset(text);
    facts = { vocabSize: dataset.symbols.length, trainExamples: splitExamples(dataset, contextLength).train.count };
    known.set(digest, facts);
  }
  return { name, digest, ...facts };
}
