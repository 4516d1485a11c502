import { execFileSync, spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { say, stop } from "./say.mjs";

/** What every Redis of ours is started with; docker-compose.yml is held to it by a test. */
export const REDIS_OPTIONS = JSON.parse(
  readFileSync(new URL("../../store/redis-options.json", import.meta.url), "utf8"),
);

/** Command line arguments, one an element. */
export function redisArguments(options) {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** By the system's package manager, first found first: the line to type. */
const BY_HAND = {
  "apt-get": "sudo apt-get install redis-server",
  brew: "brew install redis",
  dnf: "sudo dnf install valkey",
  pacman: "sudo pacman -S valkey",
  apk: "sudo apk add redis",
  zypper: "sudo zypper install redis",
};

/**
 * Installs the server, but leaves no system service running or starting at boot: ours is a child process.
 * A policy-rc.d that answers 101 is Debian's way to keep packages from starting services.
 */
const APT = `set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\\nexit 101\\n' > $policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
package=redis-server
apt-get install -y -qq --no-install-recommends $package || { package=valkey-server; apt-get install -y -qq --no-install-recommends $package; }
systemctl disable $package 2> /dev/null || true`;

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

/** null: there is none. */
export const findRedisProgram = () => onPath("redis-server") ?? onPath("valkey-server");

/** The server program's path; installs the system's package where that can be done without asking for a password. */
export function ensureRedisProgram() {
  const found = findRedisProgram();
  if (found !== null) return found;
  const manager = Object.keys(BY_HAND).find((name) => onPath(name) !== null);
  if (manager === "apt-get") installByApt();
  else if (manager === "brew") attempt("brew install redis", "brew", ["install", "redis"]);
  const line = manager === undefined ? "install redis or valkey" : `type: ${BY_HAND[manager]}`;
  const docker = ["docker run -d -p 127.0.0.1:6379:6379 -v anneal:/data redis:7.4", ...dockerArguments()].join(" ");
  return (
    findRedisProgram() ??
    stop(`needs redis-server or valkey-server; ${line} (or: ${docker} && REDIS_URL=redis://127.0.0.1:6379 npm start)`)
  );
}

function dockerArguments() {
  return redisArguments(REDIS_OPTIONS).map((argument) => (argument === "" ? '""' : argument));
}

function installByApt() {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status !== 0) return;
  const shell = ["sh", "-c", APT];
  const [command, ...args] = isRoot ? shell : ["sudo", "-n", ...shell];
  attempt("apt-get install redis-server", command, args);
}

/** A failure shows in the command's own output; the caller looks again for the program. */
function attempt(shown, command, args) {
  say(`no redis-server or valkey-server here: installing the system's package (${shown})`);
  try {
    execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  } catch {
    say(`${shown} failed`);
  }
}
