import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startRedis } from "../redis.js";
import { healthCheckOf, parseDockerfile } from "../setup/dockerfile.js";

/**
 * What an idle API and an idle worker take of a core, each a process as in its container: with heartbeat file, endpoint and the
 * image's health check as often as the compose files run it. `npm run bench:idle [seconds]`.
 */
const ROOT = new URL("../../../", import.meta.url);
const SECONDS = Number(process.argv[2] ?? 60);
const CHECK_EVERY_MS = 15_000;

const [, hertz] = /(\d+)/.exec(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout)!;
/** Seconds of processor that a process has used; `children`: those of its children that are over. */
function cpuSeconds(pid: number | "self", children = false): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ").map(Number);
  const [user, system] = children ? [fields[13], fields[14]] : [fields[11], fields[12]];
  return (user! + system!) / Number(hertz);
}

const redis = await startRedis();
const folder = mkdtempSync(join(tmpdir(), "anneal-idle-"));
const health = healthCheckOf(parseDockerfile(readFileSync(new URL("docker/Dockerfile", ROOT), "utf8")).at(-1)!);
const services = ["api", "worker"].map((name) => {
  const env = {
    ...process.env,
    ...{ REDIS_URL: redis.url, PORT: "0", WORKER_PORT: "0", NODE_ENV: "production" },
    HEARTBEAT_FILE: join(folder, name),
  };
  const args = ["--enable-source-maps", `dist/programs/${name}.js`];
  return { name, env, child: spawn(process.execPath, args, { cwd: ROOT, env, stdio: "ignore" }) };
});
const check = () => {
  const [program, ...args] = health.command;
  for (const { name, env } of services) {
    if (spawnSync(program!, args, { env }).status !== 0) console.log(`${name} is not healthy`);
  }
};
try {
  // Up, and past what V8 compiles after a start.
  while (services.some(({ env }) => !existsSync(env.HEARTBEAT_FILE))) await delay(100);
  await delay(20_000);
  const before = services.map(({ child }) => cpuSeconds(child.pid!));
  const checksBefore = cpuSeconds("self", true);
  const begun = performance.now();
  const checking = setInterval(check, CHECK_EVERY_MS);
  await delay(SECONDS * 1000);
  clearInterval(checking);
  const seconds = (performance.now() - begun) / 1000;
  const shares = services.map(({ child }, i) => (cpuSeconds(child.pid!) - before[i]!) / seconds);
  const checks = (cpuSeconds("self", true) - checksBefore) / seconds;
  for (const [i, { name }] of services.entries()) console.log(`${name.padEnd(14)} ${shares[i]!.toFixed(4)} of a core`);
  console.log(`health checks  ${checks.toFixed(4)}`);
  console.log(`together       ${(shares[0]! + shares[1]! + checks).toFixed(4)} over ${seconds.toFixed(0)} s`);
} finally {
  for (const { child } of services) child.kill("SIGKILL");
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}
