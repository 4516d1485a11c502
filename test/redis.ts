import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";

export interface TestRedis {
  readonly url: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
  /** kill -9; the data stays for `restart`. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** A private redis-server on a free port with the shipped options, its data in a folder of its own. */
export async function startRedis(): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), "anneal-redis-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const options = `--port ${port} --bind 127.0.0.1 --dir ${dir} --appendonly yes --appendfsync always --maxmemory-policy noeviction`;
  let child: ChildProcess;
  const start = async () => {
    child = spawn("redis-server", [...options.split(" "), "--save", ""], { stdio: "ignore" });
    const probe = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
    probe.on("error", () => {});
    for (let tries = 0; ; tries++) {
      try {
        await probe.connect();
        await probe.ping();
        break;
      } catch (error) {
        if (tries > 200) throw error;
        await delay(25);
      }
    }
    probe.disconnect();
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  };
  await start();
  return {
    url,
    stop: async () => {
      await end("SIGTERM");
      await rm(dir, { recursive: true, force: true });
    },
    kill: () => end("SIGKILL"),
    restart: start,
  };
}
