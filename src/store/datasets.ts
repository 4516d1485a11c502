import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export interface DatasetText {
  readonly name: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly digest: string;
  /** One word a line. */
  readonly text: string;
}

let names: DatasetText | undefined;

/** The dataset of that name; null: there is none. */
export function loadDataset(name: string): DatasetText | null {
  if (name !== "names") return null;
  if (names === undefined) {
    const text = readFileSync(new URL("../../../src/store/datasets/names.txt", import.meta.url), "utf8");
    names = { name, digest: createHash("sha256").update(text).digest("hex"), text };
  }
  return names;
}
