import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** What a process takes at most that trains ten steps of 64 replicas on 4 MiB of words with context 16. */
function train(how: "together" | "apart"): { bytes: number; expected: number; losses: string } {
  const program = fileURLToPath(new URL("./memory-program.js", import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [program, how], { encoding: "utf8" }));
}

test("replicas share the examples: what a run takes is within what was quoted", (t) => {
  const [together, apart] = [train("together"), train("apart")];
  const mb = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
  t.diagnostic(
    `64 replicas take ${mb(together.bytes)} of ${mb(together.expected)}; each with its own examples ${mb(apart.bytes)}`,
  );
  assert.equal(together.losses, apart.losses);
  assert.ok(together.bytes <= together.expected);
  // The broken twin.
  assert.ok(apart.bytes > 4 * apart.expected);
});
