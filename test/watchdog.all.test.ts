import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const WATCHDOG = fileURLToPath(new URL("../../test/watchdog.mjs", import.meta.url));
/** Long enough for a busy machine to come to the first test. */
const HANGS_AFTER_MS = 6000;

const folder = mkdtempSync(join(tmpdir(), "anneal-tests-"));
after(() => rmSync(folder, { recursive: true }));

/** Node's runner with our watchdog over one file of its own. */
function runner(name: string, text: string): Promise<{ code: number; output: string }> {
  const file = join(folder, `${name}.test.mjs`);
  writeFileSync(file, `import { before, describe, it, test } from "node:test";\n${text}`);
  const { NODE_TEST_CONTEXT: _, ...rest } = process.env;
  const env = { ...rest, TEST_HANGS_AFTER_MS: String(HANGS_AFTER_MS) };
  const args = [`--import=${WATCHDOG}`, "--test", "--test-reporter=spec", file];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

const KEEPS_OPEN = "setInterval(() => {}, 1000)";
const NEVER = `() => new Promise(() => ${KEEPS_OPEN})`;

describe("a test file", { concurrency: true }, () => {
  test("whose tests pass, passes", async () => {
    assert.equal((await runner("fine", `test("fine", () => {});`)).code, 0);
  });

  test("with a failing test fails", async () => {
    assert.equal((await runner("wrong", `test("wrong", () => { throw new Error("wrong"); });`)).code, 1);
  });

  for (const [name, text, place] of [
    ["in-a-test", `describe("group", () => it("hangs", ${NEVER}));`, 'in "hangs"'],
    ["in-a-hook", `before(${NEVER}); test("fine", () => {});`, "before its first test"],
    ["after-all", `test("fine", () => {}); ${KEEPS_OPEN};`, 'after "fine"'],
  ] as const) {
    test(`that hangs ${name} fails and says where`, async () => {
      const { code, output } = await runner(name, text);
      assert.equal(code, 1);
      assert.match(output, new RegExp(`HANGS ${place}: .*${name}\\.test\\.mjs`));
      assert.match(output, /^ℹ fail 1$/m);
    });
  }
});
