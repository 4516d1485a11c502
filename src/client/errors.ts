import type { FieldError, Problem } from "../schemas/problem.js";

/** The service has refused a request; `problem` says why. */
export class AnnealError extends Error {
  override readonly name = "AnnealError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }

  /** What kind of refusal it is, such as "not-found". */
  get code(): string {
    return this.problem.type.split(":").at(-1)!;
  }

  /** Of HTTP. */
  get status(): number {
    return this.problem.status;
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return this.problem.retryable;
  }

  /** The fields that are wrong, and what was expected there. */
  get errors(): readonly FieldError[] {
    return this.problem.errors ?? [];
  }
}

/** The service could not be reached, or its answer was cut off. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}
