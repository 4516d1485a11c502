import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureBuilt, ensureKernel } from "./build.mjs";
import { claim } from "./data-dir.mjs";
import { checkNode, ensureInstalled, isCheckout, program, ROOT } from "./install.mjs";
import { isTaken } from "./ports.mjs";
import { startRedis } from "./redis-server.mjs";
import { say, stop } from "./say.mjs";

const READY_TIMEOUT_MS = 180_000;

export function prepare() {
  checkNode();
  if (isCheckout) {
    ensureInstalled();
    ensureBuilt();
  } else ensureKernel();
}

/** Where runs are kept unless DATA_DIR says: in the project, or where the installed command is called. */
export function defaultDataDir() {
  return isCheckout ? join(ROOT, ".anneal") : resolve(".anneal");
}

/**
 * Starts everything: a Redis of our own where REDIS_URL is unset, then API and workers in one child. Resolves, once the
 * service is ready, to its URL, what ends it (app first, Redis last), and the exit code that ending gives. SIGINT, SIGTERM and
 * SIGHUP end it too. Where a service already runs on the data folder, resolves to `{ running }`, what that one has noted.
 */
export async function startEverything(env = {}) {
  const settings = { HOST: "127.0.0.1", PORT: "3000", ...process.env, ...env };
  const home = settings.REDIS_URL ? null : claimed(resolve(settings.DATA_DIR || defaultDataDir()));
  if (home?.owner) return { running: home.owner };

  const { HOST: host, PORT: port } = settings;
  if (/^\d{1,5}$/.test(port) && Number(port) < 65536 && (await isTaken(host, Number(port)))) {
    home?.release();
    stop(
      `port ${port} of ${host} is in use; end what listens there, or take another: PORT=${Number(port) + 1} ${isCheckout ? "npm start" : "anneal up"}`,
    );
  }

  let app = null;
  let ending = false;
  const end = () => {
    ending = true;
    app?.kill("SIGTERM");
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);

  const redis = home && (await startRedis(home.dataDir, home.redisPort));
  home?.write({ redisPort: redis.port });
  const finish = async (code) => {
    await redis?.stop();
    home?.release();
    return code;
  };
  if (ending) process.exit(await finish(0));

  // A session of its own, so that Ctrl-C reaches it once, from here; a channel, so that it ends when this process is killed.
  app = spawn(process.execPath, ["--enable-source-maps", program("all")], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    detached: true,
    env: { ...settings, REDIS_URL: settings.REDIS_URL || `redis://127.0.0.1:${redis.port}` },
  });
  let code = null;
  const exited = once(app, "exit").then(([status]) => {
    code = status ?? 1;
    if (!ending) say(`the service ended by itself (${status ?? app.signalCode})`);
    return finish(code);
  });

  // Only it knows that it is the one that listens there: another may have taken a port that was free before.
  let url = null;
  app.once("message", ({ port }) => {
    url = `http://${urlHost(host)}:${port}`;
    home?.write({ redisPort: redis.port, url });
  });
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (code === null && (url === null || !(await isReady(url)))) {
    if (Date.now() > deadline) {
      end();
      await exited;
      stop("the service does not become ready; see the log above");
    }
    await delay(100);
  }
  if (code !== null) process.exit((await exited) || (ending ? 0 : 1));
  const close = () => {
    end();
    return exited;
  };
  return { url, close, exited };
}

/** Where to reach a server that listens on `host`. */
function urlHost(host) {
  if (["0.0.0.0", "::"].includes(host)) return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

function isReady(url) {
  return fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

function claimed(folder) {
  try {
    return claim(folder);
  } catch (error) {
    return stop(`DATA_DIR ${folder} cannot be used: ${error.message}`);
  }
}
