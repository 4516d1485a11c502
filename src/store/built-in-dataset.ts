import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

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
