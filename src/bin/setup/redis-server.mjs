import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { say, stop } from "./say.mjs";

const OPTIONS = JSON.parse(readFileSync(new URL("../../store/redis-options.json", import.meta.url), "utf8"));

function onPath(name) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {}
  }
  return null;
}

const find = () => onPath("redis-server") ?? onPath("valkey-server");

/** The server program's path; installs the system's package where that can be done without asking. */
export function ensureRedisServer() {
  const found = find();
  if (found !== null) return found;
  const byHand =
    "or run one in Docker and set REDIS_URL: docker run -d -p 127.0.0.1:6379:6379 redis:7 redis-server --appendonly yes --appendfsync always --maxmemory-policy noeviction";
  if (onPath("apt-get") !== null) {
    const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
    say("no redis-server here: installing the system's package (apt-get install redis-server)");
    try {
      const apt = (...args) =>
        execFileSync([...sudo, "apt-get"][0], [...sudo, "apt-get", ...args].slice(1), {
          stdio: ["ignore", "ignore", "inherit"],
          env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
        });
      apt("update", "-qq");
      apt("install", "-y", "-qq", "--no-install-recommends", "redis-server");
    } catch {
      stop(`could not install it. Type: sudo apt-get install redis-server; ${byHand}`);
    }
  } else if (onPath("brew") !== null) {
    say("no redis-server here: installing it (brew install redis)");
    try {
      execFileSync("brew", ["install", "redis"], { stdio: "inherit" });
    } catch {
      stop(`could not install it. Type: brew install redis; ${byHand}`);
    }
  }
  return find() ?? stop(`needs redis-server or valkey-server: install your system's package, ${byHand}`);
}

/**
 * A Redis server of our own with its data in `dataDir`, or the one that an earlier start left running there.
 * Resolves to its URL, and to what ends it: a shutdown that leaves everything on disk.
 */
export async function startRedis(dataDir) {
  mkdirSync(dataDir, { recursive: true });
  const note = join(dataDir, "redis.json");
  if (existsSync(note)) {
    const { port, app } = JSON.parse(readFileSync(note, "utf8"));
    if (app !== undefined && isAlive(app))
      stop(`already running on ${dataDir} (process ${app}); stop it, or set DATA_DIR`);
    if ((await ping(port)) !== null) return owned(port, note);
    rmSync(note);
  }
  const program = ensureRedisServer();
  const port = await freePort();
  const options = { port, bind: "127.0.0.1", dir: dataDir, ...OPTIONS };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // A session of its own: Ctrl-C in the terminal must reach the app first, which then ends this server.
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  const failed = once(child, "exit").then(() => stop(`${program} did not start on ${dataDir}`));
  for (let tries = 0; (await Promise.race([ping(port), failed])) === null; tries++) {
    if (tries > 600) stop(`${program} does not answer`);
    await delay(50);
  }
  child.unref();
  return owned(port, note);
}

function owned(port, note) {
  writeFileSync(note, JSON.stringify({ port, app: process.pid }));
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      await command(port, "SHUTDOWN");
      for (let tries = 0; tries < 100 && (await ping(port)) !== null; tries++) await delay(50);
      rmSync(note, { force: true });
    },
  };
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch {
    return false;
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** "PONG" once the server answers commands, null before. */
async function ping(port) {
  const answer = await command(port, "PING");
  return answer?.startsWith("+PONG") ? "PONG" : null;
}

/** One inline command; null when nobody answers. */
function command(port, text) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${text}\r\n`));
    socket.setTimeout(1000, () => socket.destroy());
    let answer = null;
    socket.on("data", (data) => {
      answer = String(data);
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}
