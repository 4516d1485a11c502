import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../redis.js";
import { columnsOf, readStream, startService } from "../service.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const skip = spawnSync("caddy", ["version"]).status === 0 ? false : "no caddy";
if (skip) console.log("SKIPPED: the proxy's settings are not tested: no caddy here (Debian: caddy)");

test("through docker/Caddyfile: requests, errors, a live socket and a live event stream", { skip }, async () => {
  const service = await startService();
  const home = mkdtempSync(join(tmpdir(), "anneal-caddy-"));
  const port = await freePort();
  const env = {
    ...process.env,
    HOME: home,
    SITE_ADDRESS: `http://:${port}`,
    API_HOST: "localhost",
    API_PORT: new URL(service.url).port,
  };
  const caddy = spawn("caddy", ["run", "--config", join(ROOT, "docker/Caddyfile"), "--adapter", "caddyfile"], {
    env,
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    for (const end = Date.now() + 60_000; ; await delay(50)) {
      if (
        await fetch(`${url}/healthz`).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        break;
      assert.ok(Date.now() < end && caddy.exitCode === null, "caddy does not serve");
    }
    const wrong = await fetch(`${url}/v1/runs/nothing`);
    assert.match(wrong.headers.get("content-type")!, /problem\+json/);
    const run = await service.createRun({ steps: 60_000, model: { hiddenSizes: [8] } });
    const events = await fetch(`${url}/v1/runs/${run.id}/events`);
    assert.match(events.headers.get("content-type")!, /event-stream/);
    // Not held back until its end: something comes while the run is under way.
    const reader = events.body!.getReader();
    assert.ok((await reader.read()).value!.length > 0);
    const { messages, code } = await readStream(url, run.id);
    assert.equal(columnsOf(messages).loss.length, 60_000);
    assert.equal(code, 1000);
    while (!(await reader.read()).done);
  } finally {
    const ended = once(caddy, "exit");
    caddy.kill("SIGTERM");
    await ended;
    rmSync(home, { recursive: true, force: true });
    await service.stop();
  }
});
