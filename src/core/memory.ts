import type { DatasetStatistics } from "../schemas/dataset.js";
import { OPTIMIZERS } from "../schemas/optimizers.js";
import type { RunSpec } from "../schemas/run.js";
import { layerWidths, tensors } from "./model.js";

const FLOAT = 4;
/** Columns that a kernel pads to, and examples that it has in work at once; of TensorFlow.js the latter. */
const [PANEL, KERNEL_ROWS, TFJS_ROWS] = [16, 128, 8192] as const;
/** Of a run, whatever it trains: chunks on their way, the heap's growth; and of each replica the inputs of a chunk. */
const [PER_RUN, PER_REPLICA] = [8 << 20, 32 << 10] as const;
/** Of an example besides its symbols while the text is parsed. */
const PER_EXAMPLE = 16;
/** Copies of a state at once: to rewind to, to send, being sent, and the one that follows. */
const STATES = 4;

const padded = (count: number) => Math.ceil(count / PANEL) * PANEL;

type Trained = Pick<RunSpec, "model" | "batchSize" | "optimizer" | "replicas" | "engine" | "dataset">;
export interface MemoryFacts {
  readonly vocabSize: number;
  readonly trainExamples: number;
  /** Of all splits together. */
  readonly examples: number;
}

/** Of a dataset. */
export function sizesOf({ symbols, splits: { train, validation, test } }: DatasetStatistics): MemoryFacts {
  const examples = train.examples + validation.examples + test.examples;
  return { vocabSize: symbols.length, trainExamples: train.examples, examples };
}

/** Bytes that a run takes in its worker at most, about: examples once, and for each replica parameters, slots and buffers. */
export function memoryBytes(
  { model, batchSize, optimizer, replicas, engine, dataset }: Trained,
  facts: MemoryFacts,
): number {
  const { vocabSize, trainExamples } = facts;
  const train = Math.min(trainExamples, dataset.limit ?? trainExamples);
  const examples = facts.examples - trainExamples + train;
  const batch = batchSize === "full" ? train : batchSize;
  const { slots } = OPTIMIZERS[optimizer.type];
  const widths = layerWidths(model, vocabSize).map(padded);
  const parameters = tensors(model, vocabSize).reduce(
    (sum, { size, shape }) => sum + (size / shape.at(-1)!) * padded(shape.at(-1)!),
    0,
  );
  const state = FLOAT * parameters * (1 + slots);
  const isKernel = engine === "auto" || engine.startsWith("kernel");
  const rows = isKernel ? KERNEL_ROWS : TFJS_ROWS;
  const activations = rows * (4 * Math.max(...widths) + 2 * widths.reduce((sum, width) => sum + width, 0));
  // With gradients, and the weights' transposes; the other engines have float64, or make all of it anew at each step.
  const arena = FLOAT * ((isKernel ? 3 : 6) * parameters + activations + model.contextLength * vocabSize * widths[1]!);
  return (
    PER_RUN +
    examples * (2 * (model.contextLength + 1) + PER_EXAMPLE) +
    replicas * (PER_REPLICA + arena + (isKernel ? 0 : FLOAT * batch) + STATES * state)
  );
}
