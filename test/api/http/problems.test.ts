import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import Fastify from "fastify";
import { sendProblem } from "../../../src/api/http/problems.js";
import { ProblemError } from "../../../src/schemas/problem.js";

/** The status of an answer to what was thrown, and the lines that it leaves in the log. */
async function refused(error: Error) {
  const stream = new PassThrough();
  const app = Fastify({ logger: { stream, level: "warn" } });
  app.setErrorHandler(sendProblem);
  app.get("/", () => Promise.reject(error));
  const { statusCode } = await app.inject("/");
  await app.close();
  stream.end();
  const lines = (await text(stream)).split("\n").filter(Boolean);
  return { statusCode, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("only a defect is logged as one, with its stack", async () => {
  const defect = await refused(new Error("x is not a function"));
  assert.equal(defect.statusCode, 500);
  assert.deepEqual(
    defect.lines.map(({ level, msg }) => [level, msg]),
    [[50, "request failed"]],
  );
  assert.match((defect.lines[0]!.err as Error).stack!, /problems\.test/);

  for (const error of [
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
    new ProblemError("unavailable", "Redis does not answer"),
    new Error("OOM command not allowed when used memory > 'maxmemory'."),
  ]) {
    const { statusCode, lines } = await refused(error);
    assert.ok([503, 507].includes(statusCode), String(statusCode));
    assert.equal(lines.length, 1);
    const { level, msg, err, reason } = lines[0]!;
    assert.deepEqual([level, err, reason], [40, undefined, error.message]);
    assert.match(String(msg), /^request refused: /);
  }
  assert.deepEqual((await refused(new ProblemError("not-found", "there is no such run"))).lines, []);
});
