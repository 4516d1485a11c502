import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
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

test("a choice that fits no file is an error, and not a pass without tests", () => {
  const { status, stderr } = spawnSync(process.execPath, ["src/bin/test.mjs", "check", "--compiled", "no such test"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.match(stderr, /no test file of check/);
});
