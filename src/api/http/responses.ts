import { Type } from "typebox";
import { ProblemError } from "../../schemas/problem.js";

const idPattern = (prefix: "run" | "search") => `^${prefix}_[0-9a-z]{20}$`;

/** Path parameters of a resource with ids of newId(prefix). */
export const idParams = (prefix: "run" | "search") => Type.Object({ id: Type.String({ pattern: idPattern(prefix) }) });

const RUN_ID = new RegExp(idPattern("run"));
export const isRunId = (text: string): boolean => RUN_ID.test(text);

/** A problem+json response, for the OpenAPI document. */
export const problem = (description: string) => ({ ...Type.Ref("Problem"), description });

/** What a route answers with where that is no JSON of one schema, for the OpenAPI document. */
export const answer = (description: string, ...mediaTypes: readonly string[]) => ({
  description,
  content: Object.fromEntries(mediaTypes.map((type) => [type, { schema: {} }])),
});

export function notFound(id: string): ProblemError {
  return new ProblemError("not-found", `There is no ${id}`);
}
