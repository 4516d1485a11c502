import type { EngineOptions, SplitName } from "../../core/engine.js";
import { layerWidths, parameterCount, type Tensor, tensors } from "../../core/model.js";
import { hyperParameter, OPTIMIZERS, ownMomentum } from "../../schemas/optimizers.js";

/** Columns of a panel; every width in the arena is padded to a multiple of it. */
const PANEL = 16;
/** Examples processed at once: their activations stay in the cache, whatever the batch. */
const BLOCK_ROWS = 128;
/** Steps whose lr and loss fit in the arena; longer chunks are cut. */
export const CHUNK_CAPACITY = 1024;
/** Examples a symbol from which an evaluation makes a table of the first layer: by then it has paid for itself. */
const TABLE_EXAMPLES_PER_SYMBOL = 8;
const MAX_LAYERS = 5;
const MAGIC = 0x4b4e4e41;
const SPLITS: readonly SplitName[] = ["train", "validation", "test"];

/** The words of kernel.h's Arena, in its order. */
const INTS = [
  "magic",
  "arenaFloats",
  "contextLength",
  "embeddingDim",
  "vocabSize",
  "layerCount",
  "relu",
  "optimizer",
  "nesterov",
  "centered",
  "batchSize",
  "fullBatch",
  "seed",
  "blockRows",
  "slotsUsed",
  "parameters",
  "parameterFloats",
  "gradients",
  "slots",
  "input",
  "rows",
  "rowFloats",
  "deltaA",
  "deltaB",
  "symbols",
  "indices",
  "rowSum",
  "rowTarget",
  "lr",
  "momentum",
  "loss",
  "chunkCapacity",
  "table",
  "tableLeast",
  "trainExamples",
  "validationExamples",
  "testExamples",
  "trainCount",
  "validationCount",
  "testCount",
] as const;
const LAYER_INTS = ["fanIn", "fanOut", "weight", "bias", "transposed", "output"] as const;
const DOUBLES = ["step", "momentumDefault", "dampening", "weightDecay", "beta2", "eps", "alpha"] as const;
/** The ints, the layers, and one word that aligns the doubles. */
const HEADER_INTS = Math.ceil((INTS.length + MAX_LAYERS * LAYER_INTS.length) / 2) * 2;

type Ints = Record<(typeof INTS)[number], number>;
type Doubles = Record<(typeof DOUBLES)[number], number>;
type Layer = Record<(typeof LAYER_INTS)[number], number>;

/** Where a parameter tensor lies in the arena: ceil16(columns) / 16 panels of (rows, 16), from `offset` (floats). */
interface PackedTensor {
  readonly tensor: Tensor;
  readonly offset: number;
  readonly byRow: boolean;
}

/** The offset table of one run's arena, with all that its header holds. Offsets and sizes count floats. */
export interface Layout {
  readonly ints: Readonly<Ints>;
  readonly doubles: Readonly<Doubles>;
  readonly layers: readonly Layer[];
  readonly packed: readonly PackedTensor[];
  /** Of the model, without padding. */
  readonly parameterCount: number;
  /** Optimizer slots the arena has room for, each of parameterFloats. */
  readonly slotCount: number;
  readonly bytes: number;
  /** Float offsets of the gaps asked for. */
  readonly gaps: readonly number[];
  /** Whether the examples lie in this arena; else in another's, before it in the same memory. */
  readonly hasExamples: boolean;
}

/** Another arena in the same memory that holds the same examples, so many floats before this one. */
export interface Neighbour {
  readonly ints: Pick<Ints, "trainExamples" | "validationExamples" | "testExamples">;
  readonly distance: number;
}

export const INT_INDEX = Object.fromEntries(INTS.map((name, i) => [name, i])) as Ints;
/** Index of the step counter in the arena seen as float64. */
export const STEP_INDEX = HEADER_INTS / 2;

const ceil16 = (count: number) => Math.ceil(count / PANEL) * PANEL;

/**
 * Computes the arena of a run. `gap` floats (a multiple of 16) are left after each region, for a memory checker to poison.
 * With a `neighbour` it holds no examples: they are found there.
 */
export function layoutOf(options: EngineOptions, gap = 0, neighbour: Neighbour | null = null): Layout {
  const { model, vocabSize, optimizer, splits } = options;
  const { contextLength, embeddingDim } = model;
  const fullBatch = options.batchSize === "full";
  const batchSize = options.batchSize === "full" ? splits.train.count : options.batchSize;
  const blockRows = Math.min(BLOCK_ROWS, Math.max(PANEL, ceil16(batchSize)));
  const widths = layerWidths(model, vocabSize);
  let end = ceil16(HEADER_INTS + 2 * DOUBLES.length);
  const gaps: number[] = [];
  const take = (floats: number) => {
    const offset = end;
    end += ceil16(floats);
    return offset;
  };
  const leaveGap = () => {
    if (gap > 0) gaps.push(take(gap));
  };
  const region = (floats: number) => {
    const offset = take(floats);
    leaveGap();
    return offset;
  };

  const parameters = end;
  const packed = tensors(model, vocabSize).map((tensor, i): PackedTensor => {
    const columns = ceil16(tensor.shape.at(-1)!);
    return { tensor, offset: take(tensor.shape.length === 1 ? columns : tensor.shape[0] * columns), byRow: i === 0 };
  });
  const parameterFloats = end - parameters;
  leaveGap();
  const gradients = region(parameterFloats);
  const { kernelId, slots: slotCount } = OPTIMIZERS[optimizer.type];
  const slots = region(slotCount * parameterFloats);
  const rowFloats = ceil16(widths[0]!) + PANEL;
  const widest = ceil16(Math.max(...widths));
  const input = region(blockRows * ceil16(widths[0]!));
  const rows = region(blockRows * rowFloats);
  const deltaA = region(blockRows * widest);
  const deltaB = region(blockRows * widest);
  const layers = widths.slice(1).map((fanOut, l): Layer => {
    const fanIn = widths[l]!;
    return {
      fanIn,
      fanOut,
      weight: packed[1 + 2 * l]!.offset,
      bias: packed[2 + 2 * l]!.offset,
      transposed: region(fanOut * ceil16(fanIn)),
      output: region(blockRows * ceil16(fanOut)),
    };
  });
  const examples = (name: SplitName) =>
    neighbour === null
      ? region(Math.ceil((splits[name].count * (contextLength + 1)) / 4))
      : neighbour.ints[`${name}Examples`] - neighbour.distance;
  const tableLeast = TABLE_EXAMPLES_PER_SYMBOL * vocabSize;
  const usesTable = SPLITS.some((name) => splits[name].count >= tableLeast);
  const ints: Ints = {
    magic: MAGIC,
    contextLength,
    embeddingDim,
    vocabSize,
    layerCount: layers.length,
    relu: Number(model.activation === "relu"),
    optimizer: kernelId,
    nesterov: hyperParameter(optimizer, "nesterov"),
    centered: hyperParameter(optimizer, "centered"),
    batchSize,
    fullBatch: Number(fullBatch),
    seed: options.seed | 0,
    blockRows,
    slotsUsed: 0,
    parameters,
    parameterFloats,
    gradients,
    slots,
    input,
    rows,
    rowFloats,
    deltaA,
    deltaB,
    symbols: region((blockRows * (contextLength + 1)) / 4),
    indices: region(2 * blockRows),
    rowSum: region(blockRows),
    rowTarget: region(blockRows),
    lr: region(2 * CHUNK_CAPACITY),
    momentum: region(2 * CHUNK_CAPACITY),
    loss: region(CHUNK_CAPACITY),
    chunkCapacity: CHUNK_CAPACITY,
    table: region(usesTable ? contextLength * vocabSize * ceil16(widths[1]!) : 0),
    tableLeast,
    trainExamples: examples("train"),
    validationExamples: examples("validation"),
    testExamples: examples("test"),
    trainCount: splits.train.count,
    validationCount: splits.validation.count,
    testCount: splits.test.count,
    arenaFloats: end,
  };
  return {
    ints,
    doubles: doublesOf(optimizer),
    layers,
    packed,
    parameterCount: parameterCount(model, vocabSize),
    slotCount,
    bytes: end * 4,
    gaps,
    hasExamples: neighbour === null,
  };
}

function doublesOf(optimizer: EngineOptions["optimizer"]): Doubles {
  return {
    step: 0,
    momentumDefault: ownMomentum(optimizer),
    dampening: hyperParameter(optimizer, "dampening"),
    weightDecay: hyperParameter(optimizer, "weightDecay"),
    beta2: hyperParameter(optimizer, "beta2"),
    eps: hyperParameter(optimizer, "eps"),
    alpha: hyperParameter(optimizer, "alpha"),
  };
}

/** Writes header, examples and initial parameters into a zeroed arena that starts `start` bytes into `memory`. */
export function fillArena(memory: ArrayBufferLike, start: number, layout: Layout, options: EngineOptions): void {
  const ints = new Int32Array(memory, start, HEADER_INTS);
  for (const [i, name] of INTS.entries()) ints[i] = layout.ints[name];
  for (const [l, layer] of layout.layers.entries()) {
    for (const [i, name] of LAYER_INTS.entries()) ints[INTS.length + l * LAYER_INTS.length + i] = layer[name];
  }
  const doubles = new Float64Array(memory, start + HEADER_INTS * 4, DOUBLES.length);
  for (const [i, name] of DOUBLES.entries()) doubles[i] = layout.doubles[name];
  for (const name of layout.hasExamples ? SPLITS : []) {
    const { count, contexts, targets } = options.splits[name];
    const { contextLength } = options.model;
    const size = contextLength + 1;
    const examples = new Uint8Array(memory, start + layout.ints[`${name}Examples`] * 4, count * size);
    for (let i = 0; i < count; i++) {
      for (let c = 0; c < contextLength; c++) examples[i * size + c] = contexts[i * contextLength + c]!;
      examples[i * size + contextLength] = targets[i]!;
    }
  }
  writeParameters(new Float32Array(memory, start, layout.ints.arenaFloats), layout, options.parameters);
}

/** Calls `visit` for each stretch of parameters that lies in one piece both flat and packed. */
function eachStretch(layout: Layout, visit: (flat: number, packed: number, length: number) => void): void {
  for (const { tensor, offset, byRow } of layout.packed) {
    const columns = tensor.shape.at(-1)!;
    const rows = tensor.size / columns;
    const width = byRow ? columns : PANEL;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column += width) {
        const packed = byRow ? offset + row * ceil16(columns) : offset + column * rows + row * PANEL;
        visit(tensor.offset + row * columns + column, packed, Math.min(width, columns - column));
      }
    }
  }
}

/** The inverse of readParameters. */
export function writeParameters(arena: Float32Array, layout: Layout, parameters: Float32Array): void {
  eachStretch(layout, (flat, packed, length) => {
    for (let i = 0; i < length; i++) arena[packed + i] = parameters[flat + i]!;
  });
}

/** The parameters, flat, in the order of model.ts's tensors(); `base` is the arena's offset of what to read. */
export function readParameters(arena: Float32Array, layout: Layout, base = layout.ints.parameters): Float32Array {
  const result = new Float32Array(layout.parameterCount);
  const shift = base - layout.ints.parameters;
  eachStretch(layout, (flat, packed, length) => {
    for (let i = 0; i < length; i++) result[flat + i] = arena[packed + shift + i]!;
  });
  return result;
}
