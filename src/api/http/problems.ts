import type { ErrorObject } from "ajv";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { withoutKeys } from "../../schemas/api-key.js";
import { type FieldError, PROBLEMS, type Problem, type ProblemCode, ProblemError } from "../../schemas/problem.js";
import { isRedisAway } from "../../store/patience.js";
import { fieldErrors } from "./field-errors.js";

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(named(error as FastifyError, request), request.id);
  if (problem.status === PROBLEMS.unavailable.status && request.headers["idempotency-key"] !== undefined) {
    problem.detail = "Redis does not answer; send it again with the same Idempotency-Key";
  }
  logRefusal(problem, error, request);
  if (error instanceof ProblemError) reply.headers(error.headers);
  if (problem.retryable && !reply.hasHeader("retry-after")) reply.header("retry-after", "1");
  return reply.code(problem.status).type("application/problem+json").send(problem);
}

/** An internal error with its stack, as a defect to be mended; what the store refuses, which may be many at once, with its reason. */
function logRefusal({ status, detail }: Problem, error: unknown, { log }: FastifyRequest): void {
  if (status === PROBLEMS.internal.status) log.error({ err: error }, "request failed");
  else if (status > 500) log.warn({ status, reason: (error as Error).message }, `request refused: ${detail}`);
}

/** Fastify's own refusals of a body, with what the route takes. */
function named(error: FastifyError, { routeOptions }: FastifyRequest): FastifyError | ProblemError {
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return new ProblemError(
      "body-too-large",
      `The body is too large; expected at most ${routeOptions.bodyLimit} bytes`,
    );
  }
  if (error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
    const expected = "content-type: application/json";
    return new ProblemError("unsupported-media-type", `Expected ${expected}; curl sends it with -H '${expected}'`);
  }
  return error;
}

/** Turns whatever was thrown into the one error shape; never shows a stack or an internal message. */
export function problemOf(error: unknown, requestId: string): Problem {
  const { code, detail, errors } = JSON.parse(
    withoutKeys(JSON.stringify(explain(error as FastifyError | ProblemError))),
  ) as ReturnType<typeof explain>;
  const { status, title, retryable } = PROBLEMS[code];
  return {
    type: `urn:anneal:problem:${code}`,
    title,
    status,
    detail,
    retryable,
    ...(errors === undefined ? {} : { errors: errors.map((error) => ({ ...error, message: messageOf(error) })) }),
    requestId,
  };
}

/** A body whose schema is right but whose meaning is not. */
export function invalidRequest(errors: readonly FieldError[]): ProblemError {
  return new ProblemError("invalid-request", `The request is not valid: ${summary(errors)}`, errors);
}

const PARTS: Readonly<Record<string, string>> = { params: "path", querystring: "query", headers: "header" };

function explain(error: FastifyError | ProblemError): {
  code: ProblemCode;
  detail: string;
  errors?: readonly FieldError[] | undefined;
} {
  if (error instanceof ProblemError) return { code: error.code, detail: error.message, errors: error.errors };
  if (error.validation !== undefined) {
    const errors = fieldErrors(error.validation as unknown as ErrorObject[]);
    const where = error.validationContext ?? "request";
    return { code: "invalid-request", detail: `The ${PARTS[where] ?? where} is not valid: ${summary(errors)}`, errors };
  }
  if (isRedisAway(error)) {
    return {
      code: "unavailable",
      detail: "Redis does not answer, or takes nothing just now; nothing was done for good",
    };
  }
  if (/^OOM /.test(error.message))
    return { code: "storage-full", detail: "Redis has no memory left; nothing was done" };
  const code = codeOfStatus(error.statusCode ?? 500);
  return { code, detail: code === "internal" ? PROBLEMS.internal.title : error.message };
}

function codeOfStatus(status: number): ProblemCode {
  const codes = Object.keys(PROBLEMS) as ProblemCode[];
  return codes.find((code) => PROBLEMS[code].status === status) ?? (status < 500 ? "invalid-request" : "internal");
}

function summary(errors: readonly FieldError[]): string {
  return errors.map((error) => `${error.pointer || "the body"}: ${messageOf(error)}`).join("; ");
}

const messageOf = ({ expected, message }: FieldError) => message ?? `expected ${expected}`;
