import type { Examples, Splits } from "./engine.js";
import { Rng, STREAM } from "./rng.js";

/** The boundary mark that pads a word's start and ends it; always symbol 0. */
export const BOUNDARY = ".";
const SHUFFLE_SEED = 42;

/** A word list with its alphabet. Symbols are Unicode code points, sorted, after the boundary mark. */
export interface Dataset {
  readonly words: readonly string[];
  /** symbols[i] is the character of index i; symbols[0] is BOUNDARY. */
  readonly symbols: readonly string[];
}

/** Parses one word a line; blank lines are dropped. */
export function parseDataset(text: string): Dataset {
  const words = text.split(/\r?\n/).filter((line) => line !== "");
  const characters = new Set<string>();
  for (const word of words) for (const character of word) characters.add(character);
  characters.delete(BOUNDARY);
  return { words, symbols: [BOUNDARY, ...[...characters].sort()] };
}

/**
 * Shuffles the words with seed 42 (Fisher-Yates), cuts them 80/10/10, and unrolls each part into examples.
 * `limit` keeps the first n training examples, for the deterministic full-batch loop of a textbook.
 */
export function splitExamples(dataset: Dataset, contextLength: number, limit?: number | null): Splits {
  const words = [...dataset.words];
  const rng = new Rng(SHUFFLE_SEED, STREAM.shuffle);
  for (let i = words.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [words[i], words[j]] = [words[j]!, words[i]!];
  }
  const index = new Map(dataset.symbols.map((symbol, i) => [symbol, i]));
  const first = Math.floor(words.length * 0.8);
  const second = Math.floor(words.length * 0.9);
  return {
    train: unroll(words.slice(0, first), index, contextLength, limit ?? Number.POSITIVE_INFINITY),
    validation: unroll(words.slice(first, second), index, contextLength),
    test: unroll(words.slice(second), index, contextLength),
  };
}

/** Each word gives length + 1 examples: every character, and the final boundary, from the contextLength before it. */
function unroll(
  words: readonly string[],
  index: ReadonlyMap<string, number>,
  contextLength: number,
  limit = Number.POSITIVE_INFINITY,
): Examples {
  const total = words.reduce((sum, word) => sum + [...word].length + 1, 0);
  const count = Math.min(total, limit);
  const contexts = new Uint8Array(count * contextLength);
  const targets = new Uint8Array(count);
  let example = 0;
  for (const word of words) {
    const context = new Uint8Array(contextLength);
    for (const character of [...word, BOUNDARY]) {
      if (example === count) return { count, contexts, targets };
      const symbol = index.get(character)!;
      contexts.set(context, example * contextLength);
      targets[example++] = symbol;
      context.copyWithin(0, 1);
      context[contextLength - 1] = symbol;
    }
  }
  return { count, contexts, targets };
}
