import { type Static, Type } from "typebox";
import { named, strict } from "./strict.js";

/** The error table: code -> HTTP status, title, and whether the same request may succeed later unchanged. */
export const PROBLEMS = {
  "invalid-request": { status: 400, title: "The request is not valid", retryable: false },
  unauthorized: { status: 401, title: "A key is needed", retryable: false },
  forbidden: { status: 403, title: "This may not be done", retryable: false },
  "not-found": { status: 404, title: "Not found", retryable: false },
  "method-not-allowed": { status: 405, title: "Method not allowed", retryable: false },
  "not-acceptable": { status: 406, title: "None of the accepted media types can be served", retryable: false },
  conflict: { status: 409, title: "The resource's state does not allow this", retryable: false },
  "request-timeout": { status: 408, title: "The request took too long to come", retryable: true },
  "body-too-large": { status: 413, title: "The body is too large", retryable: false },
  "unsupported-media-type": { status: 415, title: "The body's media type is not supported", retryable: false },
  "idempotency-mismatch": { status: 422, title: "The Idempotency-Key was used for another request", retryable: false },
  "too-many-requests": { status: 429, title: "Too many requests", retryable: true },
  "headers-too-large": { status: 431, title: "The headers are too large", retryable: false },
  internal: { status: 500, title: "Something went wrong on our side", retryable: true },
  unavailable: { status: 503, title: "The service cannot do this right now", retryable: true },
  "storage-full": { status: 507, title: "The store is full", retryable: true },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

export const FieldErrorSchema = Type.Object(
  {
    pointer: Type.String({ description: "JSON pointer to the offending field, e.g. /schedule/lr" }),
    expected: Type.String({ description: "What was expected there" }),
    message: Type.Optional(
      Type.String({ description: "In words, after the field's name: what is wrong, and the way out" }),
    ),
  },
  { ...strict, ...named("FieldError") },
);
export type FieldError = Static<typeof FieldErrorSchema>;

/** RFC 9457 problem details; served as application/problem+json. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: "urn:anneal:problem:<code>" }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    retryable: Type.Boolean(),
    errors: Type.Optional(Type.Array(FieldErrorSchema)),
    requestId: Type.Optional(Type.String()),
  },
  { $id: "Problem", ...strict },
);
export type Problem = Static<typeof ProblemSchema>;

/** Thrown by routes and their helpers; the API's error handler turns it into a Problem. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[] | undefined;

  /** That the answer has besides. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, errors?: readonly FieldError[], headers = {}) {
    super(detail);
    this.name = "ProblemError";
    this.code = code;
    this.errors = errors;
    this.headers = headers;
  }
}
