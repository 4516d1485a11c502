import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../../..");

/** Another build of the project, in a folder of its own. */
export interface OtherBuild {
  readonly root: string;
  remove(): void;
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
