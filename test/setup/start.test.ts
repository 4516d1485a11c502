import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";

/** What `anneal up` does once everything is installed and built; a rebuild would pull dist from under the other tests. */
const SCRIPT = `
  const { startEverything } = await import(${JSON.stringify(new URL("../../../src/bin/setup/service.mjs", import.meta.url).href)});
  const { running, url, exited } = await startEverything();
  if (running) { console.log("already running at " + running.url); process.exit(1); }
  console.log("ready at " + url);
  process.exit(await exited);`;

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
  /** The first match in what it prints; throws where it ends without one. */
  readonly prints: (pattern: RegExp) => Promise<RegExpExecArray>;
}

let dataDir: string;
before(async () => {
  dataDir = await realpath(await mkdtemp(join(tmpdir(), "anneal start ")));
});
after(() => rm(dataDir, { recursive: true, force: true }));

/** In a process group of its own, as a shell gives a command in the foreground. */
function start(env: Record<string, string>): Started {
  const { REDIS_URL: _, ...rest } = process.env;
  const child = spawn(process.execPath, ["--input-type=module", "-e", SCRIPT], {
    env: { ...rest, DATA_DIR: dataDir, PORT: "0", WORKER_CONCURRENCY: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let text = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (data) => (text += data));
  // "close" waits for the streams, which the app holds too: its end is waited for as well.
  const exited = once(child, "close").then(([code]) => code as number | null);
  let ended = false;
  void exited.then(() => (ended = true));
  return {
    child,
    output: () => text,
    exited,
    prints: async (pattern) => {
      for (;;) {
        const found = pattern.exec(text);
        if (found !== null) return found;
        if (ended) throw new Error(`ended without ${pattern}:\n${text}`);
        await delay(20);
      }
    },
  };
}

function redisPort(): number {
  return JSON.parse(readFileSync(join(dataDir, "running.json"), "utf8")).redisPort;
}

/** The process id of the Redis on a port; null: there is none. */
async function redisPid(port: number): Promise<number | null> {
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => {});
  try {
    await client.connect();
    return Number(/process_id:(\d+)/.exec(await client.info("server"))![1]);
  } catch {
    return null;
  } finally {
    client.disconnect();
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

async function createRun(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"steps":100,"batchSize":8,"schedule":"cyclic","lrRange":[0.001,0.1],"model":{"hiddenSizes":[8]}}',
  });
  assert.equal(response.status, 202);
  return ((await response.json()) as { id: string }).id;
}

/** Ends it as Ctrl-C does: SIGINT to the whole group. */
function interrupt({ child }: Started): void {
  process.kill(-child.pid!, "SIGINT");
}

test("Ctrl-C ends app and Redis with exit code 0; the next start has the run", async () => {
  const first = start({});
  const url = (await first.prints(/ready at (\S+)/))[1]!;
  const id = await createRun(url);
  const port = redisPort();
  interrupt(first);
  assert.equal(await first.exited, 0, first.output());
  assert.equal(await redisPid(port), null);

  const second = start({});
  const again = (await second.prints(/ready at (\S+)/))[1]!;
  assert.equal((await fetch(`${again}/v1/runs/${id}`)).status, 200);
  second.child.kill("SIGTERM");
  assert.equal(await second.exited, 0, second.output());
});

test("a second start on the data folder says so and leaves the first alone", async () => {
  const first = start({});
  const url = (await first.prints(/ready at (\S+)/))[1]!;
  const second = start({});
  assert.equal(await second.exited, 1);
  assert.match(second.output(), new RegExp(`already running at ${url}`));
  assert.ok(await isReady(url));
  interrupt(first);
  assert.equal(await first.exited, 0, first.output());
});

test("a port in use stops the start with one line that names it, before Redis runs", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const started = start({ PORT: String(port) });
  assert.equal(await started.exited, 1);
  server.close();
  assert.match(started.output(), new RegExp(`^anneal: port ${port} of 127\\.0\\.0\\.1 is in use.*\\n$`));
  await assert.rejects(readFile(join(dataDir, "running.json")));
});

test("a wrong setting stops the start with one line, and Redis with it", async () => {
  const started = start({ WORKER_CONCURRENCY: "many" });
  assert.notEqual(await started.exited, 0);
  assert.match(started.output(), /^anneal: wrong setting: WORKER_CONCURRENCY must .*$/m);
  await assert.rejects(readFile(join(dataDir, "running.json")));
});

test("a data folder that cannot be one stops the start with one line", async () => {
  const file = join(dataDir, "file");
  await writeFile(file, "");
  const started = start({ DATA_DIR: file });
  assert.equal(await started.exited, 1);
  assert.match(started.output(), /^anneal: DATA_DIR .*file cannot be used: EEXIST.*\n$/);
});

test("when the start is killed the app ends, and the next start takes over its Redis", async () => {
  const first = start({});
  const url = (await first.prints(/ready at (\S+)/))[1]!;
  const port = redisPort();
  const redis = await redisPid(port);
  first.child.kill("SIGKILL");
  await first.exited;
  assert.equal(await isReady(url), false);

  const second = start({});
  await second.prints(/ready at/);
  assert.match(second.output(), /taking over the Redis/);
  assert.equal(await redisPid(port), redis);
  interrupt(second);
  assert.equal(await second.exited, 0, second.output());
  assert.equal(await redisPid(port), null);
});

test("a Redis that is not ours is not taken over, whatever the note says", async () => {
  const first = start({});
  await first.prints(/ready at/);
  const port = redisPort();
  const other = await realpath(await mkdtemp(join(tmpdir(), "anneal-start-")));
  await writeFile(join(other, "running.json"), JSON.stringify({ pid: 2 ** 30, redisPort: port }));
  const second = start({ DATA_DIR: other });
  await second.prints(/ready at/);
  assert.doesNotMatch(second.output(), /taking over/);
  interrupt(second);
  assert.equal(await second.exited, 0);
  assert.notEqual(await redisPid(port), null);
  interrupt(first);
  assert.equal(await first.exited, 0);
  await rm(other, { recursive: true });
});

test("a Redis that has taken the port meanwhile is left alone: ours gets another", async () => {
  const folder = await mkdtemp(join(tmpdir(), "anneal-start-"));
  // Where the port was free when ours was started with it (--port PORT …), and is another's when ours opens it.
  const program = join(folder, "redis-server");
  await writeFile(
    program,
    `#!/bin/sh
PATH=\${PATH#*:}
if mkdir ${folder}/once 2> /dev/null; then
  echo "$2" > ${folder}/port
  redis-server --port "$2" --bind 127.0.0.1 --dir ${folder} --save "" --daemonize yes > /dev/null
  until redis-cli -p "$2" PING > /dev/null 2>&1; do sleep 0.02; done
  # For as long as it takes to be asked: ours ends at once.
  sleep 1
fi
exec redis-server "$@"`,
    { mode: 0o755 },
  );
  const started = start({ PATH: `${folder}:${process.env.PATH}` });
  await started.prints(/ready at/);
  const port = Number(await readFile(join(folder, "port"), "utf8"));
  const other = new Redis({ port, retryStrategy: () => null });
  other.on("error", () => {});
  assert.equal(await other.dbsize(), 0);
  await other.shutdown().catch(() => {});
  other.disconnect();
  interrupt(started);
  assert.equal(await started.exited, 0, started.output());
  await rm(folder, { recursive: true });
});

test("when Redis is killed it comes back with its data, and the service with it", async () => {
  const started = start({});
  const url = (await started.prints(/ready at (\S+)/))[1]!;
  const id = await createRun(url);
  const before = await redisPid(redisPort());
  process.kill(before!, "SIGKILL");
  await started.prints(/Redis ended \(SIGKILL\); starting it again/);
  while (!(await isReady(url))) await delay(50);
  assert.equal((await fetch(`${url}/v1/runs/${id}`)).status, 200);
  interrupt(started);
  assert.equal(await started.exited, 0, started.output());
});

test("when the app is killed the start ends with a failure and stops Redis", async () => {
  const started = start({ LOG_LEVEL: "info" });
  await started.prints(/ready at/);
  const port = redisPort();
  const app = Number((await started.prints(/"pid":(\d+)/))[1]);
  process.kill(app, "SIGKILL");
  assert.equal(await started.exited, 1);
  assert.match(started.output(), /the service ended by itself \(SIGKILL\)/);
  assert.equal(await redisPid(port), null);
});
