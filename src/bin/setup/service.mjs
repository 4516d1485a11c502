import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureBuilt } from "./build.mjs";
import { checkNode, ensureInstalled, ROOT } from "./install.mjs";
import { startRedis } from "./redis-server.mjs";
import { stop } from "./say.mjs";

/**
 * Installs, builds and starts everything: a Redis of our own where REDIS_URL is unset, then API and workers in one child.
 * Resolves, once the service is ready, to its URL, what ends it (app first, Redis last), and the app's exit.
 */
export async function startEverything(env = {}) {
  checkNode();
  ensureInstalled();
  ensureBuilt();
  const settings = { HOST: "127.0.0.1", PORT: "3000", ...process.env, ...env };
  const redis = settings.REDIS_URL ? null : await startRedis(resolve(settings.DATA_DIR ?? join(ROOT, ".anneal")));
  const app = spawn(process.execPath, ["--enable-source-maps", join(ROOT, "dist/src/bin/all.js")], {
    stdio: "inherit",
    env: { ...settings, REDIS_URL: settings.REDIS_URL ?? redis.url },
  });
  const exited = once(app, "exit").then(async ([code]) => {
    await redis?.stop();
    return code ?? 1;
  });
  const host = ["0.0.0.0", "::"].includes(settings.HOST) ? "127.0.0.1" : settings.HOST;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${settings.PORT}`;
  const close = () => {
    if (app.exitCode === null && app.signalCode === null) app.kill("SIGTERM");
    return exited;
  };
  process.on("SIGINT", () => {});
  process.on("SIGTERM", close);
  for (let tries = 0; !(await ready(url)); tries++) {
    const code = await Promise.race([exited, delay(100)]);
    if (code !== undefined) process.exit(code || 1);
    if (tries > 600) {
      await close();
      stop("the service does not become ready; see the log above");
    }
  }
  return { url, close, exited };
}

async function ready(url) {
  return fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}
