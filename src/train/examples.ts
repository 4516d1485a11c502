import { parseDataset, splitExamples } from "../core/dataset.js";
import type { Splits } from "../core/engine.js";
import type { RunSpec } from "../schemas/run.js";
import { digestOf } from "../store/built-in-dataset.js";

export interface PreparedExamples {
  readonly vocabSize: number;
  readonly splits: Splits;
}

/** The last ones made: a search trains a hundred short runs on the same examples, which take longer to make than to learn. */
const recent = new Map<string, PreparedExamples>();
const KEPT = 2;
/** Larger ones are made anew: a thread that idles should hold little. */
const KEPT_BYTES = 32 << 20;

/** The examples that a run trains on; `load` gives the text of a digest. Throws where there is no such text. */
export async function prepareExamples(
  load: (digest: string) => Promise<Buffer | null>,
  { dataset, model }: RunSpec,
): Promise<PreparedExamples> {
  const { name, digest, limit } = dataset;
  const key = `${digest} ${model.contextLength} ${limit}`;
  let prepared = recent.get(key);
  if (prepared === undefined) {
    const text = await load(digest);
    if (text === null || digestOf(text) !== digest) {
      throw new Error(`the dataset ${name} is not the one that this run was made for`);
    }
    const parsed = parseDataset(text.toString("utf8"));
    prepared = { vocabSize: parsed.symbols.length, splits: splitExamples(parsed, model.contextLength, limit) };
    const { train, validation, test } = prepared.splits;
    const bytes = [train, validation, test].reduce(
      (sum, { contexts, targets }) => sum + contexts.length + targets.length,
      0,
    );
    if (bytes <= KEPT_BYTES) recent.set(key, prepared);
    if (recent.size > KEPT) recent.delete(recent.keys().next().value!);
  }
  return prepared;
}
