import { execFileSync } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { say, stop } from "./say.mjs";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Whether this is the project itself, to be installed and built; a package that was installed has no lock file. */
export const isCheckout = existsSync(join(ROOT, "package-lock.json"));

export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) stop(`needs Node 20.19 or newer; this is ${version}`);
}

/** `npm ci`, unless node_modules is as new as the lock file. */
export function ensureInstalled() {
  const lock = join(ROOT, "package-lock.json");
  const marker = join(ROOT, "node_modules/.package-lock.json");
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return;
  say("installing packages (npm ci)");
  // The compiler is a development package: NODE_ENV=production must not leave it out.
  run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
}

/** The file of one of the service's programs: a bundle in a checkout (bundle.mjs), one module of many in a package. */
export const program = (name) => join(ROOT, isCheckout ? "dist/programs" : "dist/src/bin", `${name}.js`);

/** Runs a command in the project's folder with its output shown; on failure ends this process with one line. */
export function run(command, args) {
  try {
    execFileSync(command, args, { cwd: ROOT, stdio: "inherit" });
  } catch (error) {
    stop(`${command} ${args.join(" ")} failed (${error.status ?? error.code ?? error.signal})`);
  }
}

/** Whether a module is the script that node was started with. */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}
