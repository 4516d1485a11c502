import type { ErrorObject } from "ajv";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { type FieldError, PROBLEMS, type Problem, type ProblemCode, ProblemError } from "../../schemas/problem.js";
import { isRedisAway } from "../../store/patience.js";

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(named(error as FastifyError, request), request.id);
  if (problem.status >= 500) request.log.error({ err: error }, "request failed");
  if (problem.retryable) reply.header("retry-after", "1");
  return reply.code(problem.status).type("application/problem+json").send(problem);
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
    return new ProblemError("unsupported-media-type", "Expected content-type: application/json");
  }
  return error;
}

/** Turns whatever was thrown into the one error shape; never shows a stack or an internal message. */
export function problemOf(error: unknown, requestId: string): Problem {
  const { code, detail, errors } = explain(error as FastifyError | ProblemError);
  const { status, title, retryable } = PROBLEMS[code];
  return {
    type: `urn:anneal:problem:${code}`,
    title,
    status,
    detail,
    retryable,
    ...(errors === undefined ? {} : { errors: [...errors] }),
    requestId,
  };
}

/** A body whose schema is right but whose meaning is not. */
export function invalidRequest(errors: readonly FieldError[]): ProblemError {
  return new ProblemError("invalid-request", `The request is not valid: ${summary(errors)}`, errors);
}

const PARTS: Readonly<Record<string, string>> = { params: "path", querystring: "query" };

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
  return errors.map(({ pointer, expected }) => `${pointer || "the body"}: expected ${expected}`).join("; ");
}

const MOST_ERRORS = 100;

/** Ajv's errors as (pointer, expected), one a field; the parts of a choice are joined by "or". */
export function fieldErrors(all: readonly ErrorObject[]): FieldError[] {
  const fields = new Map<string, Set<string>>();
  for (const error of all.slice(0, MOST_ERRORS)) {
    const described = describeField(error);
    if (described === null) continue;
    const expected = fields.get(described.pointer) ?? new Set();
    fields.set(described.pointer, expected.add(described.expected));
  }
  return [...fields].map(([pointer, expected]) => ({ pointer, expected: [...withoutEchoes(expected)].join(" or ") }));
}

const REQUIRED = "a value; it is required";

/** Of a choice, its one text is said; of what is missing, what it may be. */
function withoutEchoes(expected: Set<string>): Set<string> {
  if ([...expected].some((text) => text.startsWith('"'))) expected.delete("a string");
  if (expected.size > 1) expected.delete(REQUIRED);
  return expected;
}

function describeField({ keyword, instancePath, params, message, parentSchema }: ErrorObject): FieldError | null {
  const at = (name: string) => `${instancePath}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  switch (keyword) {
    case "if":
    case "anyOf":
      return null;
    case "additionalProperties":
      return { pointer: at(params.additionalProperty), expected: `no such field; known: ${knownFields(parentSchema)}` };
    case "required":
      return { pointer: at(params.missingProperty), expected: REQUIRED };
    case "discriminator":
      return { pointer: at(params.tag), expected: `one of ${knownTypes(parentSchema, params.tag)}` };
    case "type":
      return { pointer: instancePath, expected: article([params.type].flat().join(" or ")) };
    case "enum":
      return {
        pointer: instancePath,
        expected: `one of ${params.allowedValues.map((v: unknown) => JSON.stringify(v)).join(", ")}`,
      };
    case "const":
      // Of a rate that may be "auto": it was text, so the branch for text was taken.
      if (params.allowedValue === "auto") return { pointer: instancePath, expected: 'a number, or "auto"' };
      return { pointer: instancePath, expected: JSON.stringify(params.allowedValue) };
    case "minimum":
      return { pointer: instancePath, expected: `at least ${params.limit}` };
    case "maximum":
      return { pointer: instancePath, expected: `at most ${params.limit}` };
    case "exclusiveMinimum":
      return { pointer: instancePath, expected: `more than ${params.limit}` };
    case "exclusiveMaximum":
      return { pointer: instancePath, expected: `less than ${params.limit}` };
    case "pattern":
      return { pointer: instancePath, expected: `text that matches ${params.pattern}` };
    default:
      return {
        pointer: instancePath,
        expected: (message ?? keyword).replace(/^must (be |have |NOT have )?/, (m) =>
          m.includes("NOT") ? "not " : "",
        ),
      };
  }
}

function knownTypes(schema: ErrorObject["parentSchema"], tag: string): string {
  return (schema?.oneOf ?? []).map((choice: ErrorObject["params"]) => choice.properties?.[tag]?.const).join(", ");
}

function knownFields(schema: ErrorObject["parentSchema"]): string {
  return Object.keys(schema?.properties ?? {}).join(", ") || "none";
}

function article(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}
