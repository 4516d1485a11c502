import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, ROOT, run } from "./install.mjs";
import { say } from "./say.mjs";

const STAMP = join(ROOT, "dist/.built");
const INPUTS = ["src", "test", "tsconfig.json", "package-lock.json"];

/** Compiles everything afresh: TypeScript to dist, the native kernel to build (where there is a C compiler), the dashboard. */
export function build() {
  // What was compiled from a file that is gone must not run.
  rmSync(join(ROOT, "dist"), { recursive: true, force: true });
  run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc")]);
  run(process.execPath, [join(ROOT, "src/engine/kernel/build-native.mjs")]);
  if (existsSync(join(ROOT, "src/web/build.mjs"))) run(process.execPath, [join(ROOT, "src/web/build.mjs")]);
  writeFileSync(STAMP, "");
}

export function ensureBuilt() {
  const builtAt = existsSync(STAMP) ? statSync(STAMP).mtimeMs : 0;
  if (INPUTS.every((input) => newest(join(ROOT, input)) <= builtAt)) return;
  say("building");
  build();
}

function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), stat.mtimeMs);
}

if (isMain(import.meta.url)) build();
