import { ProblemError } from "../../schemas/problem.js";

/** The first of `types` that an Accept header names, in the header's order; a wildcard stands for the first that it covers. */
export function chooseType<T extends string>(accept = "*/*", types: readonly T[]): T {
  for (const range of accept.split(",")) {
    const wanted = range.split(";")[0]!.trim().toLowerCase();
    const family = wanted.replace(/\*(\/\*)?$/, "");
    const found = types.find((type) => type === wanted || (wanted.endsWith("*") && type.startsWith(family)));
    if (found !== undefined) return found;
  }
  throw new ProblemError("not-acceptable", `Accept must name one of ${types.join(", ")}`);
}
