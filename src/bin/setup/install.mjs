import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { say, stop } from "./say.mjs";

export const ROOT = new URL("../../../", import.meta.url).pathname;

export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) stop(`needs Node 20.19 or newer; this is ${process.versions.node}`);
}

/** `npm ci`, unless node_modules is as new as the lock file. */
export function ensureInstalled() {
  const lock = join(ROOT, "package-lock.json");
  const marker = join(ROOT, "node_modules/.package-lock.json");
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return;
  say("installing packages (npm ci)");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
}

/** Runs a command with its output shown; on failure ends this process with one line. */
export function run(command, args) {
  try {
    execFileSync(command, args, { cwd: ROOT, stdio: "inherit" });
  } catch (error) {
    stop(`${command} ${args.join(" ")} failed (${error.status ?? error.code})`);
  }
}
