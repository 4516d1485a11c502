import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { endsWithUs } from "./leave-none.js";

export interface TestRedis {
  readonly url: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
  /** kill -9; the data stays for `restart`. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
}

/** What the shipped start gives its Redis, from dist/test. */
export const REDIS_OPTIONS = JSON.parse(
  readFileSync(new URL("../../src/store/redis-options.json", import.meta.url), "utf8"),
) as Record<string, string>;
const PROGRAMS = ["redis-server", "valkey-server"];
const START_TIMEOUT_MS = 30_000;

/**
 * Below those that a system gives by itself: a server that is killed and started again on its port must not find there what
 * merely asked for any port, or a client's end of a connection.
 */
const PORTS = { from: 20_000, to: 32_767 };

/** A free port of this machine. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch {
      continue;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}

/** A private redis-server or valkey-server on a free port with the shipped options, its data in a folder of its own. */
export async function startRedis(): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), "anneal-redis-"));
  // Between the choice of a port and the server's start another process may take it.
  for (let tries = 0; ; tries++) {
    const port = await freePort();
    try {
      return manage(await launch(port, dir), port, dir);
    } catch (error) {
      if (tries < 3) continue;
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }
}

function manage(first: ChildProcess, port: number, dir: string): TestRedis {
  let child = first;
  const end = async (signal: NodeJS.Signals) => {
    if (hasEnded(child)) return;
    const ended = once(child, "exit");
    // Tests may have it stopped (SIGSTOP): a stopped process takes no other signal.
    child.kill("SIGCONT");
    child.kill(signal);
    await ended;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      await end("SIGTERM");
      await rm(dir, { recursive: true, force: true });
    },
    kill: () => end("SIGKILL"),
    restart: async () => {
      child = await launch(port, dir);
    },
  };
}

/** Resolves once it answers; throws Error when it ends before, as it does when the port is taken. */
async function launch(port: number, dir: string): Promise<ChildProcess> {
  const options = { port, bind: "127.0.0.1", dir, ...REDIS_OPTIONS };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = await spawnFirst(PROGRAMS, args);
  const probe = new Redis({ host: "127.0.0.1", port, lazyConnect: true, retryStrategy: () => null });
  probe.on("error", () => {});
  try {
    for (const deadline = Date.now() + START_TIMEOUT_MS; ; await delay(20)) {
      if (hasEnded(child) || Date.now() > deadline)
        throw new Error(`${child.spawnfile} does not start on port ${port}`);
      try {
        await probe.connect();
        // Another server may have the port.
        const [, servedDir] = (await probe.config("GET", "dir")) as [string, string];
        if (servedDir === dir && (await probe.ping()) === "PONG") return child;
      } catch {}
      probe.disconnect();
    }
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    probe.disconnect();
  }
}

/** The first of the programs that exists. */
async function spawnFirst(programs: readonly string[], args: readonly string[]): Promise<ChildProcess> {
  for (const program of programs) {
    const child = spawn(program, args, { stdio: "ignore" });
    try {
      await once(child, "spawn");
      return endsWithUs(child);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  throw new Error(`none of ${programs.join(", ")} is installed`);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
