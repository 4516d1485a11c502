import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RUNNER = readFileSync(join(ROOT, "src/bin/test.mjs"), "utf8");
const WITH_SERVER = JSON.parse(RUNNER.match(/WITH_SERVER = (\[.*\]);/)![1]!) as string[];

/** What starts a server: its importers, and theirs, need one. */
const STARTS_SERVER = ["test/redis.ts", "test/service.ts", "test/browser/browser.ts"];

/** The files of ours that a test takes in, itself and those in test/ alone. */
function imported(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, target] of readFileSync(join(ROOT, file), "utf8").matchAll(/from "(\.[^"]+)\.js"/g)) {
    const path = relative(ROOT, join(ROOT, dirname(file), `${target}.ts`));
    if (path.startsWith("test/")) imported(path, seen);
  }
  return seen;
}

const tests = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.ts"))
  .map((file) => `test/${file.replaceAll("\\", "/")}`);

test("only tests in the folders that src/bin/test.mjs lists start a server", () => {
  assert.ok(tests.length > 50);
  for (const file of tests) {
    if (WITH_SERVER.includes(file.split("/")[1]!)) continue;
    const found = STARTS_SERVER.filter((server) => imported(file).has(server));
    assert.deepEqual(found, [], `${file} must lie in one of ${WITH_SERVER}`);
  }
  assert.ok(imported("test/api/runs.test.ts").has("test/redis.ts"), "the check sees an import of an import");
});

describe("the way tests are run", () => {
  const folder = mkdtempSync(join(tmpdir(), "anneal-tests-"));
  after(() => rmSync(folder, { recursive: true }));

  /** Node's runner with our watchdog over one file. */
  function runner(text: string): { status: number | null; output: string } {
    const file = join(folder, "one.test.mjs");
    writeFileSync(file, `import { before, describe, it, test } from "node:test";\n${text}`);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [`--import=${join(ROOT, "test/watchdog.mjs")}`, "--test", "--test-reporter=spec", file],
      { encoding: "utf8", env: { ...env, TEST_HANGS_AFTER_MS: "1000" } },
    );
    return { status, output: stdout + stderr };
  }

  test("a failure, a hang in a test, in a hook and after the last test: each fails, and a hang by name", () => {
    assert.equal(runner(`test("fine", () => {});`).status, 0);
    assert.equal(runner(`test("wrong", () => { throw new Error("wrong"); });`).status, 1);
    const keepOpen = "setInterval(() => {}, 1000)";
    const never = `() => new Promise(() => ${keepOpen})`;
    for (const [text, place] of [
      [`describe("group", () => it("hangs", ${never}));`, /HANGS in "hangs": .*one\.test\.mjs/],
      [`before(${never}); test("fine", () => {});`, /HANGS before its first test: .*one\.test\.mjs/],
      [`test("fine", () => {}); ${keepOpen};`, /HANGS after "fine": .*one\.test\.mjs/],
    ] as const) {
      const { status, output } = runner(text);
      assert.equal(status, 1);
      assert.match(output, place);
      assert.match(output, /^ℹ fail 1$/m);
    }
  });

  test("a choice that fits no file is an error, and not a pass without tests", () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ["src/bin/test.mjs", "check", "--compiled", "no such test"],
      {
        cwd: ROOT,
        encoding: "utf8",
      },
    );
    assert.equal(status, 1);
    assert.match(stderr, /no test file of check/);
  });
});
