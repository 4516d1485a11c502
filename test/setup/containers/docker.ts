import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { parseDockerfile } from "../dockerfile.js";
import { baseImage } from "./base-image.js";

export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const FILES = ["docker-compose.yml", "docker/services.yml", "docker/compose.proxy.yml"];
const PROGRAMS = ["dockerd", "docker", "docker-compose", "debootstrap", "iptables"];

/** Why no Docker of our own can run here, or null. */
export function dockerProblem(): string | null {
  const missing = PROGRAMS.filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
  if (missing.length > 0)
    return `no ${missing.join(", ")} here (Debian: docker.io docker-compose debootstrap iptables)`;
  if (process.getuid?.() !== 0) return "a Docker daemon needs root";
  return null;
}

/** A Docker daemon with a folder and a socket of its own, which touches neither another's nor the machine's network rules. */
export class Docker {
  readonly folder = mkdtempSync(join(tmpdir(), "anneal-docker-"));
  readonly #environment = { ...process.env, DOCKER_HOST: `unix://${this.folder}/docker.sock`, DOCKER_BUILDKIT: "0" };
  readonly #log = join(this.folder, "dockerd.log");
  #daemon: ChildProcess | null = null;

  /** Resolves once it answers. Rejects with the end of its log where it cannot run. */
  async start(): Promise<void> {
    const out = openSync(this.#log, "w");
    const own = ["--data-root", "data", "--exec-root", "exec", "--pidfile", "pid"];
    const args = own.map((word, i) => (i % 2 === 0 ? word : join(this.folder, word)));
    const rules = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false"];
    const command = ["dockerd", ...args, ...rules, "-H", this.#environment.DOCKER_HOST];
    // It ends, and its containers with it, when this process does, however that is ended.
    const daemon = spawn("setpriv", ["--pdeathsig", "TERM", ...command], { stdio: ["ignore", out, out] });
    closeSync(out);
    this.#daemon = daemon;
    const deadline = Date.now() + 120_000;
    while (spawnSync("docker", ["info"], { env: this.#environment }).status !== 0) {
      if (daemon.exitCode !== null || Date.now() > deadline)
        throw new Error(readFileSync(this.#log, "utf8").slice(-1000));
      await delay(200);
    }
  }

  docker(...args: string[]): string {
    return execFileSync("docker", args, {
      env: this.#environment,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1 << 26,
    });
  }

  /** Gives what the Dockerfile and the compose files name, and cannot be pulled. */
  giveBaseImages(): void {
    const named = parseDockerfile(readFileSync(join(ROOT, "docker/Dockerfile"), "utf8")).map(({ image }) => image);
    const composed = FILES.flatMap((file) => Object.values(servicesOf(file)).flatMap(({ image }) => image ?? []));
    this.docker("import", "--change", "WORKDIR /data", baseImage(), "anneal-base");
    for (const image of new Set([...named, ...composed]))
      if (image !== "anneal") this.docker("tag", "anneal-base", image);
  }

  /** Ours, as the compose files say: with the machine's network, since that of containers leads nowhere here. */
  build(): void {
    const options = ["--quiet", "--network", "host", "--build-arg", `TFJS=${process.env.TFJS ?? "no"}`];
    this.docker("build", ...options, "-t", "anneal", "-f", join(ROOT, "docker/Dockerfile"), ROOT);
  }

  /**
   * A compose file, in a form that Debian's docker-compose 1.29 takes, which knows neither a project's name nor
   * `start_interval`; nothing else is changed.
   */
  compose(file: string, settings: Record<string, string>): (...args: string[]) => string {
    const project = join(this.folder, "project");
    for (const each of FILES) {
      mkdirSync(dirname(join(project, each)), { recursive: true });
      writeFileSync(join(project, each), JSON.stringify(forOldCompose(each)));
    }
    cpSync(join(ROOT, "docker/Caddyfile"), join(project, "docker/Caddyfile"));
    const env = { ...this.#environment, ...settings, COMPOSE_PROJECT_NAME: "anneal" };
    return (...args) =>
      execFileSync("docker-compose", ["-f", join(project, file), ...args], {
        env,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
  }

  /** Ends all of it: containers, daemon, data. */
  async stop(): Promise<void> {
    if (this.#daemon !== null && this.#daemon.exitCode === null) {
      const ids = spawnSync("docker", ["ps", "-q"], { env: this.#environment, encoding: "utf8" })
        .stdout.split("\n")
        .filter(Boolean);
      if (ids.length > 0) spawnSync("docker", ["kill", ...ids], { env: this.#environment });
      const ended = once(this.#daemon, "exit");
      this.#daemon.kill("SIGTERM");
      await ended;
    }
    remove(this.folder);
  }
}

/** A daemon's folder, with what it left mounted there. */
function remove(folder: string): void {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const points = mounts.map((line) => line.split(" ")[1] ?? "").filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.reverse()) spawnSync("umount", ["--lazy", point]);
  rmSync(folder, { recursive: true, force: true });
}

interface Service {
  image?: string;
  healthcheck?: Record<string, unknown>;
}

const read = (file: string) => parse(readFileSync(join(ROOT, file), "utf8"), { merge: true });
const servicesOf = (file: string) => read(file).services as Record<string, Service>;

function forOldCompose(file: string): object {
  const { name: _, services, ...rest } = read(file) as { name?: string; services: Record<string, Service> };
  const kept = Object.entries(services).map(([key, { healthcheck, ...service }]) => {
    if (healthcheck === undefined) return [key, service];
    const { start_interval: _, ...check } = healthcheck;
    return [key, { ...service, healthcheck: check }];
  });
  return { version: "2.4", services: Object.fromEntries(kept), ...rest };
}
