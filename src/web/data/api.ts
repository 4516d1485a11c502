import { Anneal } from "../../client/index.js";
import type { FieldError } from "../../schemas/problem.js";

export { AnnealError } from "../../client/index.js";

/** The service that the page is from. */
export const client = new Anneal();

/** What is wrong with a field, and the way out: a line below it. */
export function fieldText({ expected, message = `expected ${expected}` }: Omit<FieldError, "pointer">): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

/** By field, as a pointer without its first slash. */
export function fieldTexts(errors: readonly FieldError[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(errors.map((error) => [error.pointer.slice(1), fieldText(error)]));
}

/** One line for people. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
