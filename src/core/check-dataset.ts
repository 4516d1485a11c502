import type { DatasetStatistics } from "../schemas/dataset.js";
import { LIMITS } from "../schemas/limits.js";
import type { FieldError } from "../schemas/problem.js";
import { BOUNDARY, datasetStatistics, parseDataset } from "./dataset.js";
import { invalid, ok, type Result } from "./result.js";

/** With fewer, one of the three splits would be empty. */
const LEAST_ITEMS = 10;
const MOST_ERRORS = 10;
/** What one long line is a sign of. */
const JOINED = " (curl's -d @file joins the lines; --data-binary @file keeps them)";
/** The boundary, controls, line and paragraph separators, the byte order mark. */
const REFUSED = /[.\p{Cc}\u2028\u2029\ufeff]/u;

/** Reads a person's dataset: one item a line, blank lines dropped. What is wrong is told by line, the text being the whole field. */
export function checkDataset(text: string): Result<DatasetStatistics> {
  const dataset = parseDataset(text);
  const { length } = dataset.words;
  if (length > LIMITS.datasetItems) return invalid(wrong(`at most ${LIMITS.datasetItems} items; here are ${length}`));
  const statistics = datasetStatistics(dataset);
  const [, ...symbols] = statistics.symbols;
  const suspect =
    symbols.length >= LIMITS.datasetSymbols ||
    statistics.longest > LIMITS.datasetItemLength ||
    text.includes(BOUNDARY) ||
    REFUSED.test(symbols.join(""));
  if (suspect) return invalid(...lineErrors(text));
  if (length < LEAST_ITEMS) {
    return invalid(wrong(`at least ${LEAST_ITEMS} items, one a line; here are ${length}${length === 1 ? JOINED : ""}`));
  }
  return ok(statistics);
}

function lineErrors(text: string): FieldError[] {
  const errors: FieldError[] = [];
  const symbols = new Set([BOUNDARY]);
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const expected = lineProblem(line, symbols);
    if (expected === null) continue;
    errors.push(wrong(`line ${i + 1}: ${expected}${text.includes("\n") ? "" : JOINED}`));
    if (errors.length === MOST_ERRORS || symbols.size > LIMITS.datasetSymbols) break;
  }
  return errors;
}

/** What was expected in place of the line; null: it is right. Adds its symbols. */
function lineProblem(line: string, symbols: Set<string>): string | null {
  // In UTF-16 an item may be twice as long as in symbols.
  if (
    line.length > LIMITS.datasetItemLength &&
    [...line.slice(0, 2 * LIMITS.datasetItemLength + 1)].length > LIMITS.datasetItemLength
  )
    return `an item of at most ${LIMITS.datasetItemLength} symbols`;
  const refused = REFUSED.exec(line)?.[0];
  if (refused === BOUNDARY) return "no full stop: it is kept for an item's boundary";
  if (refused !== undefined) return `no control character, separator or byte order mark; here is ${codePoint(refused)}`;
  for (const symbol of line) {
    if (symbols.size > LIMITS.datasetSymbols) break;
    symbols.add(symbol);
  }
  if (symbols.size <= LIMITS.datasetSymbols) return null;
  return `at most ${LIMITS.datasetSymbols - 1} different symbols in all; one more is ${codePoint([...symbols].at(-1)!)}`;
}

const wrong = (expected: string): FieldError => ({ pointer: "", expected });

function codePoint(symbol: string): string {
  return `U+${symbol.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}
