import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { observe } from "../../src/bin/observability.js";
import { startApi } from "../../src/bin/start-api.js";
import { startWorker } from "../../src/bin/start-worker.js";
import type { Run } from "../../src/schemas/run.js";
import { redisProblem } from "../../src/store/address.js";
import { freePort } from "../redis.js";
import { columnsOf, exportOf, readStream, startService, testConfig } from "../service.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const OPTIONS = JSON.parse(readFileSync(join(ROOT, "src/store/redis-options.json"), "utf8")) as Record<string, string>;

const skip = spawnSync("redis-cli", ["--version"]).status === 0 ? false : "no redis-cli";
if (skip) console.log("SKIPPED: no backup is restored: no redis-cli here (Debian: redis-tools)");

/** The lines of docs/deploy.md under that comment. */
function linesOf(what: string): string {
  const [, lines] = new RegExp(`\`\`\`sh\\n# ${what}\\n([^]*?)\`\`\``).exec(
    readFileSync(join(ROOT, "docs/deploy.md"), "utf8"),
  )!;
  return lines!;
}
const bash = (lines: string, env: Record<string, string>) =>
  execFileSync("bash", ["-euc", lines], { env: { ...process.env, ...env }, stdio: "pipe" });

test("a backup is restored as docs/deploy.md says: what was over is there, what was under way goes on, exactly", {
  skip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "anneal-restore-"));
  const BACKUP = join(folder, "backup.rdb");
  const request = { steps: 40_000, model: { hiddenSizes: [8] }, seed: 5 };
  const old = await startService();
  let over: Run;
  let live: Run;
  let before: unknown;
  let whole: unknown;
  try {
    over = await old.finished((await old.createRun({ steps: 400, model: { hiddenSizes: [8] } })).id);
    before = await exportOf(old, over.id);
    live = await old.createRun(request);
    const progress = async () => ((await (await old.get(`/v1/runs/${live.id}`)).json()) as Run).progress.steps;
    while ((await progress()) === 0) await delay(5);
    bash(linesOf("backup"), { REDIS_URL: old.redis.url, BACKUP });
    // The oracle: the same run, never interrupted.
    await old.finished(live.id);
    whole = await exportOf(old, live.id);
  } finally {
    await old.stop();
  }

  bash(linesOf("restore"), { REDIS_DIR: folder, BACKUP });
  const port = await freePort();
  const options = Object.entries(OPTIONS).flatMap(([name, value]) => [`--${name}`, value]);
  const redis = spawn("redis-server", ["--port", String(port), "--dir", folder, ...options], { stdio: "ignore" });
  const config = testConfig(`redis://127.0.0.1:${port}`);
  try {
    for (const end = Date.now() + 60_000; (await redisProblem(config.REDIS_URL)) !== null; await delay(50))
      assert.ok(Date.now() < end);
    const observability = await observe(config);
    const api = await startApi(config, observability);
    const worker = await startWorker(config, observability);
    try {
      // A busy machine's Redis may not answer within its second.
      const get = async (path: string) => {
        for (;;) {
          const response = await fetch(api.url + path);
          if (response.status !== 503) return response;
          await delay(200);
        }
      };
      const restored = { get } as Parameters<typeof exportOf>[0];
      assert.deepEqual(await exportOf(restored, over.id), before);
      const { messages } = await readStream(api.url, live.id);
      assert.equal(columnsOf(messages).loss.length, request.steps);
      assert.deepEqual(await exportOf(restored, live.id), whole);
    } finally {
      await worker.close();
      await api.close();
    }
  } finally {
    const ended = once(redis, "exit");
    redis.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
});
