import type { ErrorObject, ValidateFunction } from "ajv";
import { type FieldError, ProblemError } from "../../schemas/problem.js";
import { kindOf } from "../../schemas/record-kinds.js";
import type { StreamCommand } from "../../schemas/stream-many.js";
import { fieldErrors } from "../http/field-errors.js";
import { invalidRequest } from "../http/problems.js";

/** `run`: the one that a bad frame names, if it does. */
export type ParsedCommand =
  | { readonly command: StreamCommand }
  | { readonly problem: ProblemError; readonly run: string | undefined };
/** Of a frame from a client; null: a binary one. */
export type CommandParser = (text: string | null) => ParsedCommand;

/** `validate`: for StreamCommandSchema. */
export function commandParser(validate: ValidateFunction): CommandParser {
  return (text) => {
    const value = text === null ? undefined : parseJson(text);
    if (value === undefined) {
      const problem = new ProblemError("invalid-request", "The frame is not JSON text");
      return { problem, run: undefined };
    }
    const errors = validate(value)
      ? thinningErrors(value as StreamCommand)
      : fieldErrors(validate.errors as ErrorObject[]);
    if (errors.length === 0) return { command: value as StreamCommand };
    return { problem: invalidRequest(errors), run: runNamedBy(value) };
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A search or experiment takes no more than the query of its own stream does. */
function thinningErrors(command: StreamCommand): FieldError[] {
  if (kindOf(command.run) === "run") return [];
  return ["every", "maxHz"]
    .filter((name) => name in command)
    .map((name) => ({ pointer: `/${name}`, expected: "no such field; only a run has steps to thin" }));
}

const LONGEST_ECHO = 64;

function runNamedBy(value: unknown): string | undefined {
  const run = (value as { run?: unknown } | null)?.run;
  return typeof run === "string" && run.length <= LONGEST_ECHO ? run : undefined;
}
