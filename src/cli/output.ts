import { stripVTControlCharacters } from "node:util";
import { AnnealError, ConnectionError } from "../client/index.js";
import type { RunStatus } from "../schemas/status.js";
import { type Connection, UsageError } from "./command.js";

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Says a record as JSON, where that is asked for, or in words. */
export function say<T>(record: T, { url, json }: Connection, textOf: (record: T, url: string) => string): void {
  print(json ? JSON.stringify(record) : textOf(record, url));
}

/** How a picture fits the terminal; `columns`: where there is none that tells its width. */
export function terminal({ columns }: { readonly columns?: number } = {}): {
  readonly width?: number;
  readonly color: boolean;
} {
  const width = process.stdout.columns ?? columns;
  const fit = width === undefined ? {} : { width: Math.max(40, Math.min(400, width)) };
  return { ...fit, color: process.stdout.isTTY === true };
}

/** The exit code of a command whose record has ended so; a search that has no winner has found nothing. */
export function exitAs(record: {
  readonly status: RunStatus;
  readonly answer?: { readonly winner: unknown } | null;
}): void {
  const { status, answer } = record;
  if (status === "failed" || status === "canceled" || answer?.winner === null) process.exitCode = 1;
}

/** Rows with their columns one below another; what is absent is a dash. */
export function table(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const cells = [names, ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return cells
    .map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (typeof value === "number") return short(value);
  // Names are what others have typed.
  return stripVTControlCharacters(String(value));
}

/** A number in up to five digits. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return "-";
  return Number.isInteger(value) && Math.abs(value) < 1e15
    ? value.toLocaleString("en")
    : String(Number(value.toPrecision(5)));
}

/** Prints why a command has failed: field by field where the service says so, never a stack. */
export function printFailure(error: unknown, { url, json }: { readonly url?: string; readonly json?: boolean }): void {
  if (json === true && error instanceof AnnealError) process.stderr.write(`${JSON.stringify(error.problem)}\n`);
  else process.stderr.write(`anneal: ${failureOf(error, url)}\n`);
}

/** A failure in words, for people and agents. */
export function failureOf(error: unknown, url: string | undefined): string {
  if (error instanceof AnnealError) {
    const { errors, problem } = error;
    return errors.length === 0 ? error.message : [problem.title, ...errors.map(lineOf)].join("\n");
  }
  if (error instanceof ConnectionError)
    return `no service answers at ${url}: begin one with anneal up, or say where with --url`;
  if (error instanceof UsageError) return error.message;
  return `unexpected: ${(error as Error).message}`;
}

/** A field by the flag that sets it. */
function lineOf({ pointer, message, expected }: AnnealError["errors"][number]): string {
  const path = pointer.split("/").slice(1);
  const at = path.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~")).join(".");
  return `  ${at === "" ? "" : `--${at}: `}${message ?? `expected ${expected}`}`;
}
