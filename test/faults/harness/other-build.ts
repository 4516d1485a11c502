import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../../..");

/** Another build of the project, in a folder of its own. */
export interface OtherBuild {
  readonly root: string;
  remove(): void;
}

const PREVIOUS = "HEAD^";
const SOURCES = ["src", "package.json", "package-lock.json", "tsconfig.json"];

/** Why the commit before this one cannot be had here, or null. */
export function historyProblem(): string | null {
  try {
    execFileSync("git", ["cat-file", "-e", `${PREVIOUS}:package.json`], { cwd: ROOT, stdio: "ignore" });
    return null;
  } catch {
    return "SKIPPED: there is no git history here, so no commit before this one to build";
  }
}

/** The commit before this one, built from its own sources and, where they differ, with its own packages. */
export function previousBuild(): OtherBuild & { readonly commit: string } {
  const root = mkdtempSync(join(tmpdir(), "anneal-previous-"));
  const git = (...args: string[]) => execFileSync("git", args, { cwd: ROOT, maxBuffer: 2 ** 30 });
  mkdirSync(join(root, "test"));
  execFileSync("tar", ["-x", "-C", root], { input: git("archive", PREVIOUS, ...SOURCES) });
  const lock = (folder: string) => readFileSync(join(folder, "package-lock.json"), "utf8");
  if (lock(root) === lock(ROOT)) symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  else execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root, stdio: "ignore" });
  execFileSync(process.execPath, [join(root, "src/bin/setup/build.mjs"), "--native"], { stdio: "ignore" });
  const commit = git("log", "-1", "--format=%h %s", PREVIOUS).toString().trim();
  return { root, commit, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** What a run needs of this one, changed by `edit` ([file, text, what it becomes]) and with its kernel compiled anew. */
export function otherBuild(...edits: readonly (readonly [file: string, text: string, by: string])[]): OtherBuild {
  const root = mkdtempSync(join(tmpdir(), "anneal-build-"));
  for (const path of ["package.json", "src", "build", "dist/src", "dist/test/faults/twins"]) {
    cpSync(join(ROOT, path), join(root, path), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  for (const [file, text, by] of edits) {
    const whole = readFileSync(join(root, file), "utf8");
    if (!whole.includes(text)) throw new Error(`${file} has no ${text}`);
    writeFileSync(join(root, file), whole.replaceAll(text, by));
  }
  execFileSync(process.execPath, [join(root, "src/engine/kernel/build-native.mjs"), "--required"], { stdio: "ignore" });
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
