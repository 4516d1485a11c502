import { parseDataset, splitExamples } from "../../core/dataset.js";
import type { SplitName } from "../../core/engine.js";
import { meanLoss } from "../../core/forward.js";
import { forwardCost } from "../../core/model.js";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import type { DatasetStore } from "../../store/contract.js";
import { invalidRequest } from "../http/problems.js";
import { createTurns } from "./in-turns.js";
import type { TrainedModel } from "./read-model.js";

/** The mean loss of a model over a split of its dataset, in turns with other work; given up once nobody waits for it. */
export async function evaluate(
  { spec, symbols, parameters, step }: TrainedModel,
  split: SplitName,
  datasets: Pick<DatasetStore, "text">,
  isGone: () => boolean,
): Promise<{ readonly step: number; readonly examples: number; readonly loss: number | null }> {
  const { model, dataset } = spec;
  const text = await datasets.text(dataset.digest);
  if (text === null) throw new ProblemError("conflict", "The run's dataset is gone");
  const examples = splitExamples(parseDataset(text.toString("utf8")), model.contextLength, dataset.limit)[split];
  const cost = forwardCost(model, symbols.length) * examples.count;
  if (cost > LIMITS.multiplyAddsPerSamples) {
    const expected = `a split of at most ${Math.floor(LIMITS.multiplyAddsPerSamples / forwardCost(model, symbols.length))} examples for a model of this size, not ${examples.count}`;
    throw invalidRequest([{ pointer: "/split", expected }]);
  }
  const turn = createTurns();
  const evaluation = meanLoss({ model, symbols, parameters }, examples);
  let piece = evaluation.next();
  for (; !piece.done; piece = evaluation.next()) {
    // Awaited only where there is something to wait for: a piece takes microseconds.
    const passed = turn();
    if (passed !== false && (await passed) && isGone())
      throw new ProblemError("conflict", "Nobody waits for the answer any more");
  }
  return { step, examples: examples.count, loss: Number.isFinite(piece.value) ? piece.value : null };
}
