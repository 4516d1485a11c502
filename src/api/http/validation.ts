import Ajv, { type ErrorObject, type Options, type ValidateFunction } from "ajv";
import type { FastifySchemaCompiler } from "fastify";
import { IsDateTime } from "typebox/format";
import { type Renaming, renamePythonNames } from "../../core/schedules/torch/python-names.js";

/** Without optimizing: that takes longer than all else of an API's start, and saves nothing that a body's check shows. */
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

/** Bodies are taken as they are, but for PyTorch's own names of its parameters; paths and queries are text, so numbers in them are converted. */
export function createValidatorCompiler(shared: readonly object[]): FastifySchemaCompiler<object> {
  const create = (options: Options) => {
    const ajv = new Ajv.default({ ...COMMON, ...options });
    ajv.addSchema([...shared]);
    return ajv;
  };
  const [first, all] = [create({}), create({ allErrors: true })];
  const converting = create({ allErrors: true, coerceTypes: true, useDefaults: true });
  return ({ schema, httpPart }) => {
    if (httpPart !== "body") return converting.compile(schema);
    return inTwoSteps(first.compile(schema), () => all.compile(schema));
  };
}

/** To compile takes half of an API's start: what only wrong requests need waits for the first of them, and ajv keeps it then. */
function inTwoSteps(quick: ValidateFunction, thorough: () => ValidateFunction) {
  const validate = (body: unknown): boolean => {
    const renamings = renamePythonNames(body);
    if (quick(body)) return true;
    const explains = count(body, SMALL) <= SMALL ? thorough() : quick;
    explains(body);
    validate.errors = explains.errors?.map((error) => asGiven(error, renamings)) ?? null;
    return false;
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
