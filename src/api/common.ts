import { Type } from "typebox";
import { ProblemError } from "../spec/problem.js";

/** Path parameters of a resource with ids of newId(prefix). */
export const idParams = (prefix: "run" | "search") =>
  Type.Object({ id: Type.String({ pattern: `^${prefix}_[0-9a-z]{20}$` }) });

/** A problem+json response, for the OpenAPI document. */
export const problem = (description: string) => ({ ...Type.Ref("Problem"), description });

export function notFound(id: string): ProblemError {
  return new ProblemError("not-found", `There is no ${id}`);
}
