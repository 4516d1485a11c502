import type { DatasetStatistics } from "../schemas/dataset.js";
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
  const characters = charactersOf(words).filter((character) => character !== BOUNDARY);
  return { words, symbols: [BOUNDARY, ...characters.sort()] };
}

/** The different code points; by a table, which is several times as fast as a set of strings. */
function charactersOf(words: readonly string[]): string[] {
  const seen = new Uint8Array(0x11_0000);
  const characters: string[] = [];
  for (const word of words) {
    for (let i = 0; i < word.length; i++) {
      const code = word.codePointAt(i)!;
      if (code > 0xffff) i++;
      if (seen[code] === 1) continue;
      seen[code] = 1;
      characters.push(String.fromCodePoint(code));
    }
  }
  return characters;
}

/**
 * Shuffles the words with seed 42 (Fisher-Yates), cuts them 80/10/10, and unrolls each part into examples.
 * `limit` keeps the first n training examples, for the deterministic full-batch loop of a textbook.
 */
export function splitExamples(dataset: Dataset, contextLength: number, limit?: number | null): Splits {
  const { train, validation, test } = splitWords(dataset.words);
  const index = new Map(dataset.symbols.map((symbol, i) => [symbol, i]));
  return {
    train: unroll(train, index, contextLength, limit ?? Number.POSITIVE_INFINITY),
    validation: unroll(validation, index, contextLength),
    test: unroll(test, index, contextLength),
  };
}

/** What splitExamples would make of a dataset, without making it: an item gives as many examples at any context length. */
export function datasetStatistics({ words, symbols }: Dataset): DatasetStatistics {
  const lengths = words.map(lengthOf);
  const parts = splitWords(lengths);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const counts = (part: readonly number[]) => ({ items: part.length, examples: sum(part) + part.length });
  return {
    items: words.length,
    symbols: [...symbols],
    longest: lengths.reduce((longest, length) => Math.max(longest, length), 0),
    meanLength: sum(lengths) / words.length,
    splits: { train: counts(parts.train), validation: counts(parts.validation), test: counts(parts.test) },
  };
}

/** Shuffled and cut. The order depends on how many items there are, not on what they are. */
export function splitWords<T>(items: readonly T[]): { train: T[]; validation: T[]; test: T[] } {
  const shuffled = [...items];
  const rng = new Rng(SHUFFLE_SEED, STREAM.shuffle);
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  const [first, second] = [Math.floor(items.length * 0.8), Math.floor(items.length * 0.9)];
  return {
    train: shuffled.slice(0, first),
    validation: shuffled.slice(first, second),
    test: shuffled.slice(second),
  };
}

/** In code points. */
function lengthOf(word: string): number {
  let length = 0;
  for (let i = 0; i < word.length; i++) if ((word.charCodeAt(i) & 0xfc00) !== 0xdc00) length++;
  return length;
}

/** Each word gives length + 1 examples: every character, and the final boundary, from the contextLength before it. */
function unroll(
  words: readonly string[],
  index: ReadonlyMap<string, number>,
  contextLength: number,
  limit = Number.POSITIVE_INFINITY,
): Examples {
  const total = words.reduce((sum, word) => sum + lengthOf(word) + 1, 0);
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
