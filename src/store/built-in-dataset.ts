import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { datasetStatistics, parseDataset } from "../core/dataset.js";
import { BUILT_IN_DATASET, type DatasetStatistics } from "../schemas/dataset.js";
import type { DatasetEntry, DatasetStore } from "./contract.js";

export const digestOf = (text: Uint8Array): string => createHash("sha256").update(text).digest("hex");

let names: { readonly digest: string; readonly text: Buffer } | undefined;

/** The text that every process has. */
export function builtInDataset(): { readonly digest: string; readonly text: Buffer } {
  if (names === undefined) {
    const text = readFileSync(new URL("../../../src/store/datasets/names.txt", import.meta.url));
    names = { digest: digestOf(text), text };
  }
  return names;
}

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
