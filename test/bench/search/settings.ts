import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Dataset, datasetStatistics, parseDataset } from "../../../src/core/dataset.js";
import type { DatasetFacts } from "../../../src/core/resolve.js";
import { Rng } from "../../../src/core/rng.js";
import type { SearchRequest } from "../../../src/schemas/search.js";

/** What a search is asked about, but for its horizon. */
export interface Setting {
  readonly request: Pick<SearchRequest, "model" | "batchSize" | "optimizer" | "lrRange">;
  readonly data: keyof typeof TEXTS;
  readonly steps: number;
  /** log10 of the truth grid's lowest rate. */
  readonly gridLow: number;
}

const GRID_LOW = -2;
const ADAMW = { type: "adamw", weightDecay: 0.1 } as const;
const SGD_WITH_MOMENTUM = { type: "sgd", momentum: 0.9 } as const;

export const SETTINGS: Readonly<Record<string, Setting>> = {
  default: { request: {}, data: "names", steps: 3000, gridLow: GRID_LOW },
  short: { request: {}, data: "names", steps: 300, gridLow: GRID_LOW },
  small: { request: { model: { embeddingDim: 2, hiddenSizes: [100] } }, data: "names", steps: 3000, gridLow: GRID_LOW },
  big: {
    request: { model: { hiddenSizes: [512, 512], activation: "relu" }, optimizer: "adam" },
    data: "names",
    steps: 2000,
    gridLow: -4.4,
  },
  momentum: {
    request: { batchSize: 256, optimizer: SGD_WITH_MOMENTUM },
    data: "names",
    steps: 3000,
    gridLow: GRID_LOW,
  },
  alphabet: { request: {}, data: "syllables", steps: 3000, gridLow: -1.8 },
  // Unlike the others in every respect.
  adam: {
    request: { model: { contextLength: 2, embeddingDim: 4, hiddenSizes: [32] }, optimizer: "adam" },
    data: "names",
    steps: 500,
    gridLow: -3.6,
  },
  lion: {
    request: { model: { contextLength: 2, embeddingDim: 4, hiddenSizes: [32] }, optimizer: "lion" },
    data: "syllables",
    steps: 400,
    gridLow: -4,
  },
  adamw: {
    request: {
      model: { contextLength: 3, embeddingDim: 6, hiddenSizes: [48, 48], activation: "relu" },
      optimizer: ADAMW,
    },
    data: "syllables",
    steps: 600,
    gridLow: -3.6,
  },
  context: {
    request: { batchSize: 8, model: { contextLength: 1, embeddingDim: 3, hiddenSizes: [16] } },
    data: "names",
    steps: 800,
    gridLow: -2,
  },
  // The optimum lies a thousand times below.
  nowhere: { request: { lrRange: [100, 1000] }, data: "names", steps: 3000, gridLow: GRID_LOW },
};

const NAMES = new URL("../../../../src/store/datasets/names.txt", import.meta.url);

const TEXTS = { names: () => readFileSync(NAMES, "utf8"), syllables };

/** A few thousand words of one to four Greek syllables, some far more frequent than others; the same ones each time. */
function syllables(): string {
  const consonants = ["", "κ", "σ", "τ", "π", "ν", "μ", "λ", "ρ", "θ", "στ", "χ", "γ", "δ", "φ", "πρ", "ξ", "ψ"];
  const vowels = ["α", "ο", "ι", "ε", "η", "ου", "υ", "ω", "αι"];
  const endings = ["ς", "", "ν", "", "ρ"];
  const rng = new Rng(18, 0);
  // A square of a uniform share favours what stands first.
  const pick = (list: readonly string[]) => list[Math.floor(list.length * rng.uniform() ** 2)]!;
  const word = () => {
    const count = 1 + rng.below(4);
    return `${Array.from({ length: count }, () => pick(consonants) + pick(vowels)).join("")}${pick(endings)}`;
  };
  return [...new Set(Array.from({ length: 6000 }, word))].join("\n");
}

export function dataOf({ data }: Pick<Setting, "data">): { dataset: Dataset; facts: DatasetFacts } {
  const text = TEXTS[data]();
  const dataset = parseDataset(text);
  const { splits } = datasetStatistics(dataset);
  const facts = {
    name: data,
    digest: createHash("sha256").update(text).digest("hex"),
    vocabSize: dataset.symbols.length,
    trainExamples: splits.train.examples,
    examples: splits.train.examples + splits.validation.examples + splits.test.examples,
  };
  return { dataset, facts };
}
