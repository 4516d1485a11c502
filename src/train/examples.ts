import { parseDataset, splitExamples } from "../core/dataset.js";
import type { Splits } from "../core/engine.js";
import type { RunSpec } from "../spec/run.js";
import type { DatasetText } from "../store/datasets.js";

export interface PreparedExamples {
  readonly vocabSize: number;
  readonly splits: Splits;
}

/** The last ones made: a search trains a hundred short runs on the same examples, which take longer to make than to learn. */
const recent = new Map<string, PreparedExamples>();
const KEPT = 2;

/** The examples that a run trains on. Throws where the dataset is not the one that its spec pins. */
export function prepareExamples(source: DatasetText | null, { dataset, model }: RunSpec): PreparedExamples {
  if (source === null || source.digest !== dataset.digest) {
    throw new Error(`the dataset ${dataset.name} is not the one that this run was made for`);
  }
  const key = `${dataset.digest} ${model.contextLength} ${dataset.limit}`;
  let prepared = recent.get(key);
  if (prepared === undefined) {
    const parsed = parseDataset(source.text);
    prepared = {
      vocabSize: parsed.symbols.length,
      splits: splitExamples(parsed, model.contextLength, dataset.limit),
    };
    recent.set(key, prepared);
    if (recent.size > KEPT) recent.delete(recent.keys().next().value!);
  }
  return prepared;
}
