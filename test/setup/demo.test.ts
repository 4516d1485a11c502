import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("npm run demo trains its three runs to the end, prints them, and exits with 0", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "anneal-demo-"));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const { REDIS_URL: _, ...env } = process.env;
  const script = fileURLToPath(new URL("../../../src/bin/demo.mjs", import.meta.url));
  const output = execFileSync(process.execPath, [script], { env: { ...env, DATA_DIR: dataDir }, encoding: "utf8" });
  for (const name of ["constant", "cyclic", "sweep"]) {
    assert.match(output, new RegExp(`^${name} .* 20000/20000 .* succeeded$`, "m"));
    assert.match(output, new RegExp(`│ ${name} +│ 'succeeded' +│ \\d`));
    assert.match(output, new RegExp(`^${name} +http://127\\.0\\.0\\.1:3000/#/runs/run_\\w+$`, "m"));
  }
  assert.match(output, /^together http:\S+\/#\/compare\?runs=run_\w+,run_\w+,run_\w+$/m);
});
