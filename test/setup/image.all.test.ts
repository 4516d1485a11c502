import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { nativeKernelProblem } from "../../src/engine/kernel/native.js";
import { freePort, startRedis, type TestRedis } from "../redis.js";
import { columnsOf, readStream } from "../service.js";
import { copies, healthCheckOf, parseDockerfile, type Stage, textsOf } from "./dockerfile.js";

/** Builds the image without Docker: each stage is a folder holding what it copies, where its own commands are run. */
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const stages = parseDockerfile(readFileSync(join(ROOT, "docker/Dockerfile"), "utf8"));

let scratch: string;
let redis: TestRedis;
const running: ChildProcess[] = [];

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), "anneal-image-"));
  redis = await startRedis();
  for (const stage of stages) buildStage(stage);
});
after(async () => {
  for (const child of running) child.kill("SIGKILL");
  await redis.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function folderOf(stage: string | null): string {
  return join(scratch, stage ?? "runtime");
}

function buildStage(stage: Stage): void {
  const folder = folderOf(stage.name);
  mkdirSync(folder);
  for (const { name, text } of stage.instructions) {
    if (name === "COPY") copy(text, folder);
    if (name === "RUN") execFileSync("sh", ["-c", text], { cwd: folder, stdio: "pipe", env: buildEnv() });
  }
}

/** Whether the image is built with TensorFlow's library, which takes minutes: TFJS=yes asks for it. */
const TFJS = process.env.TFJS ?? "no";

/** The packages are in npm's cache since `npm ci`. */
function buildEnv(): NodeJS.ProcessEnv {
  return { ...process.env, TFJS, npm_config_prefer_offline: "true", npm_config_loglevel: "error" };
}

/** As Docker does it: a folder's contents go into the target, a file becomes it, or lies in it when that ends with a slash. */
function copy(text: string, folder: string): void {
  const [{ from, sources, target }] = copies({ image: "", name: null, instructions: [{ name: "COPY", text }] }) as [
    ReturnType<typeof copies>[number],
  ];
  for (const source of sources) {
    const path = from === null ? join(ROOT, source) : join(folderOf(from), source.replace(/^\/app\//, ""));
    const to = join(folder, target);
    cpSync(path, target.endsWith("/") ? join(to, basename(path)) : to, { recursive: true, verbatimSymlinks: true });
  }
}

/** Every file below a folder with its size and time: equal before and after means that nothing was written. */
function snapshot(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    names.map((name) => {
      const { size, mtimeMs } = lstatSync(join(folder, name));
      return [name, `${size} ${mtimeMs}`];
    }),
  );
}

/** The file that the container of a service has as HEARTBEAT_FILE. */
const heartbeatOf = (name: string) => join(scratch, `${name}-alive`);

function environment(name: string, port: number): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  const own = { HOST: "127.0.0.1", PORT: String(port), HEARTBEAT_FILE: heartbeatOf(name) };
  return { PATH, NODE_ENV: "production", REDIS_URL: redis.url, ...own };
}

function service(name: string, port: number): ChildProcess {
  const cwd = folderOf(null);
  const args = ["--enable-source-maps", `dist/programs/${name}.js`];
  const child = spawn(process.execPath, args, { cwd, stdio: "ignore", env: environment(name, port) });
  running.push(child);
  return child;
}

/** Runs the container's health check until it holds. */
async function untilHealth(name: string, is: boolean): Promise<void> {
  for (const deadline = Date.now() + 120_000; isHealthy(name) !== is; await delay(100)) {
    if (Date.now() > deadline) throw new Error(`${name} does not become ${is ? "healthy" : "unhealthy"}`);
  }
}

/** As Docker runs the check, with its own limit of time. */
function isHealthy(name: string): boolean {
  const { command, timeoutSeconds } = healthCheckOf(stages.at(-1)!);
  const [program, ...args] = command;
  const options = { env: environment(name, 0), timeout: timeoutSeconds * 1000, stdio: "ignore" } as const;
  return spawnSync(program!, args, options).status === 0;
}

test("what the stages copy is enough to build, run, train natively, be healthy and stop", async () => {
  const port = await freePort();
  const files = snapshot(folderOf(null));
  assert.equal(isHealthy("api"), false);
  const services = [service("api", port), service("worker", port)];
  await Promise.all([untilHealth("api", true), untilHealth("worker", true)]);
  await untilAnswers(port);

  const url = `http://127.0.0.1:${port}`;
  const response = await fetch(`${url}/v1/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"steps":500,"batchSize":32,"schedule":"cyclic","lrRange":[0.001,0.1]}',
  });
  assert.equal(response.status, 202, await response.clone().text());
  const { id } = (await response.json()) as { id: string };
  assert.equal(columnsOf((await readStream(url, id)).messages).loss.length, 500);
  const run = (await (await fetch(`${url}/v1/runs/${id}`)).json()) as { status: string; engineBuild: string };
  assert.equal(run.status, "succeeded");
  // Where the processor can run the native kernel, the image's own must be what trained.
  assert.match(run.engineBuild, nativeKernelProblem() === null ? /^kernel-native/ : /^kernel-wasm/);

  const native = await fetch(`${url}/v1/runs`, {
    method: "POST",
    headers: { "content-type": "application/json", prefer: "wait=60" },
    body: '{"steps":20,"engine":"tfjs-node"}',
  });
  const text = await native.text();
  if (TFJS === "no") assert.match(text, /no worker here has: .*TFJS=no/);
  else assert.match(JSON.parse(text).engineBuild, /^tfjs-[\d.]+-node-tf/, text);

  for (const child of services) {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
  }
  for (const name of ["api", "worker"]) assert.equal(isHealthy(name), false, name);
  // The root of the container is read-only.
  assert.deepEqual(snapshot(folderOf(null)), files);
});

test("who is busy is healthy; who hangs is not", async () => {
  const port = await freePort();
  const services = ["api", "worker"].map((name) => ({ name, child: service(name, port) }));
  // Where a check had to start a Node, this many left it no time to answer.
  const hogs = Array.from({ length: 2 * availableParallelism() }, () =>
    spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }),
  );
  running.push(...hogs);
  for (const { name } of services) await untilHealth(name, true);
  for (let i = 0; i < 5; i++) {
    for (const { name } of services) assert.ok(isHealthy(name), `${name}, check ${i}`);
    await delay(1000);
  }
  for (const hog of hogs) hog.kill("SIGKILL");
  for (const { name, child } of services) {
    child.kill("SIGSTOP");
    await untilHealth(name, false);
    child.kill("SIGCONT");
    await untilHealth(name, true);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
});

async function untilAnswers(port: number): Promise<void> {
  for (const deadline = Date.now() + 120_000; ; await delay(100)) {
    if (
      await fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    assert.ok(Date.now() < deadline);
  }
}

test("the runtime stage holds no development package", () => {
  const installed = readdirSync(join(folderOf(null), "node_modules"));
  for (const name of ["typescript", "esbuild", "@biomejs"]) assert.ok(!installed.includes(name), name);
  assert.ok(installed.includes("fastify"));
  assert.deepEqual(textsOf(stages.at(-1)!, "RUN"), []);
});
