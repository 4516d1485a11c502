import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, request } from "./ports.mjs";
import { ensureRedisProgram, REDIS_OPTIONS, redisArguments } from "./redis-program.mjs";
import { say, stop } from "./say.mjs";

const START_TIMEOUT_MS = 60_000;
const RESTART_DELAY_MS = 500;

/**
 * A Redis server of our own with its data in `dataDir` (absolute, real path), or the one that a killed start left on
 * `oldPort`. Resolves, once it answers, to its port and to what ends it with everything on disk.
 */
export async function startRedis(dataDir, oldPort) {
  if (oldPort !== undefined && (await servesFrom(oldPort, dataDir))) {
    say(`taking over the Redis that was left running on ${dataDir}`);
    await answering(oldPort, dataDir, () => true);
    return { port: oldPort, stop: () => shutDown(oldPort, dataDir) };
  }
  const program = ensureRedisProgram();
  const log = join(dataDir, "redis.log");
  let stopping = false;
  const launch = (port) => {
    const options = { port, bind: "127.0.0.1", dir: dataDir, logfile: log, ...REDIS_OPTIONS };
    // A session of its own: Ctrl-C in the terminal must reach the app first, which still needs this server.
    const child = spawn(program, redisArguments(options), { stdio: "ignore", detached: true });
    child.unref();
    return child;
  };
  const watch = (child, port) => {
    child.once("exit", async (status, signal) => {
      if (stopping) return;
      say(`Redis ended (${status ?? signal}); starting it again`);
      await delay(RESTART_DELAY_MS);
      if (!stopping) watch(launch(port), port);
    });
  };
  for (let tries = 0; ; tries++) {
    const port = await freePort();
    const child = launch(port);
    const isAlive = () => child.exitCode === null && child.signalCode === null;
    if (await answering(port, dataDir, isAlive)) {
      watch(child, port);
      const end = () => {
        stopping = true;
        return shutDown(port, dataDir);
      };
      return { port, stop: end };
    }
    // Another process may have taken the port meanwhile.
    if (tries === 2 || isAlive()) stop(`${program} does not start on ${dataDir}; it says why in ${log}`);
  }
}

/** Resolves to whether the server of `dataDir` answers there: also after a while, when a large log is read first. */
async function answering(port, dataDir, isAlive) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (isAlive() && Date.now() < deadline) {
    if ((await servesFrom(port, dataDir)) && (await request(port, "PING"))?.startsWith("+PONG")) return true;
    await delay(20);
  }
  return false;
}

/** The port may belong to another Redis: who took it before ours did, or later. */
async function servesFrom(port, dataDir) {
  const answer = await request(port, "CONFIG GET dir");
  return answer?.split("\r\n")[4] === dataDir;
}

async function shutDown(port, dataDir) {
  if (await servesFrom(port, dataDir)) await request(port, "SHUTDOWN");
  for (let tries = 0; tries < 200 && (await servesFrom(port, dataDir)); tries++) await delay(50);
}
