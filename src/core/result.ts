import type { FieldError } from "../schemas/problem.js";

/** An expected outcome: a value, or what is wrong with which field. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: FieldError[] };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const invalid = (...errors: FieldError[]): Result<never> => ({ ok: false, errors });
