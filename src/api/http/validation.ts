import Ajv, { type ErrorObject, type Options, type ValidateFunction } from "ajv";
import type { FastifySchemaCompiler } from "fastify";
import { IsDateTime } from "typebox/format";
import { type Renaming, renamePythonNames } from "../../core/schedules/torch/python-names.js";

/** Without optimizing: that takes longer than to compile, and saves nothing that a body's check shows. */
const COMMON: Options = {
  verbose: true,
  discriminator: true,
  strict: false,
  // By the same rule as what is stored.
  formats: { "date-time": IsDateTime },
  code: { optimize: false },
};
/** Values in a body up to which every wrong field is named; of a larger one only the first, at no more than its size's cost. */
const SMALL = 500;

/**
 * Bodies are taken as they are, but for PyTorch's own names of its parameters; paths and queries are text, so numbers in them are
 * converted. A body's schema takes up to a second to compile, in which nothing else is done and Redis would seem to be away: that
 * is part of an API's start. What explains a wrong body waits for the first of them, and the small schemas of paths and queries
 * for their first request.
 */
export function createValidatorCompiler(shared: readonly object[]): FastifySchemaCompiler<object> {
  const create = (options: Options) => {
    const ajv = new Ajv.default({ ...COMMON, ...options });
    ajv.addSchema([...shared]);
    return ajv;
  };
  const [first, all] = [create({}), create({ allErrors: true })];
  const converting = create({ allErrors: true, coerceTypes: true, useDefaults: true });
  return ({ schema, httpPart }) => {
    if (httpPart !== "body") return validator(check(() => converting.compile(schema)));
    const quick = first.compile(schema);
    return validator(
      checkBody(
        () => quick,
        () => all.compile(schema),
      ),
    );
  };
}

/** What is wrong with a value, or null. */
type Check = (value: unknown) => ErrorObject[] | null;

/** `compiled`: ajv keeps what it has compiled. */
const check =
  (compiled: () => ValidateFunction): Check =>
  (value) => {
    const isValid = compiled();
    return isValid(value) ? null : isValid.errors!;
  };

function checkBody(first: () => ValidateFunction, all: () => ValidateFunction): Check {
  const [quick, thorough] = [check(first), check(all)];
  return (body) => {
    const renamings = renamePythonNames(body);
    const errors = quick(body);
    if (errors === null) return null;
    const explained = count(body, SMALL) <= SMALL ? thorough(body)! : errors;
    return explained.map((error) => asGiven(error, renamings));
  };
}

/** As ajv's own: says whether, and keeps what is wrong. */
function validator(ask: Check) {
  const validate = (value: unknown): boolean => {
    validate.errors = ask(value);
    return validate.errors === null;
  };
  validate.errors = null as ErrorObject[] | null;
  return validate;
}

/** An error under the name that the client has used. */
function asGiven(error: ErrorObject, renamings: readonly Renaming[]): ErrorObject {
  const { instancePath } = error;
  const renamed = renamings.find(({ now }) => instancePath === now || instancePath.startsWith(`${now}/`));
  if (renamed === undefined) return error;
  return { ...error, instancePath: renamed.given + instancePath.slice(renamed.now.length) };
}

/** Values in a tree, itself included; gives up soon after `limit`. */
function count(value: unknown, limit: number): number {
  if (typeof value !== "object" || value === null) return 1;
  let total = 1;
  for (const child of Object.values(value)) {
    total += count(child, limit - total);
    if (total > limit) break;
  }
  return total;
}
