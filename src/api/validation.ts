import Ajv, { type Options } from "ajv";
import type { FastifySchemaCompiler } from "fastify";

const COMMON: Options = {
  allErrors: true,
  discriminator: true,
  strict: false,
  validateFormats: false,
  useDefaults: false,
};

/** Bodies are taken as they are; paths and queries are text, so numbers in them are converted. */
export function createValidatorCompiler(shared: readonly object[]): FastifySchemaCompiler<object> {
  const exact = new Ajv.default(COMMON);
  const converting = new Ajv.default({ ...COMMON, coerceTypes: true, useDefaults: true });
  for (const ajv of [exact, converting]) ajv.addSchema([...shared]);
  return ({ schema, httpPart }) => (httpPart === "body" ? exact : converting).compile(schema);
}
