import type { FastifyInstance } from "fastify";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";

/** Bodies are JSON. Many clients name a media type even where there is no body, as for /cancel: no body is none, not a broken one. */
export function takeJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body === "") done(null, undefined);
    else if (isTooDeep(body as string)) {
      done(
        new ProblemError("invalid-request", `The body is nested too deep; expected at most ${LIMITS.bodyDepth} levels`),
      );
    } else
      parse(request, body as string, (error, value) => {
        if (error === null) done(null, value);
        else done(new ProblemError("invalid-request", `The body is not JSON: ${whyNot(body as string)}`));
      });
  });
}

/** Whatever goes through a tree calls itself, and ends with its stack. */
function isTooDeep(body: string): boolean {
  let depth = 0;
  for (const [mark] of body.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]/gs)) {
    if (mark === "[" || mark === "{") depth++;
    else if (mark === "]" || mark === "}") depth--;
    if (depth > LIMITS.bodyDepth) return true;
  }
  return false;
}

/** Said once more by the parser itself, which tells where. */
function whyNot(body: string): string {
  try {
    JSON.parse(body);
    return "it has a forbidden name, __proto__ or constructor";
  } catch (error) {
    // Newer runtimes tell the line and column as well, which of one line say nothing new.
    return (error as Error).message.replace(/ \(line \d+ column \d+\)/, "");
  }
}
