import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

const ROOT = join(import.meta.dirname, "../../..");
const SCRIPT = "src/engine/tfjs/install-native.mjs";

/** A checkout with nothing but the script, and the folder for temporary files of all that it starts. */
let checkout: string;
let temporary: string;
let cache: string;
before(() => {
  checkout = mkdtempSync(join(tmpdir(), "anneal-tfjs-test-"));
  temporary = join(checkout, "tmp");
  cache = join(checkout, "node_modules/.cache");
  mkdirSync(temporary);
  mkdirSync(join(checkout, "src/engine/tfjs"), { recursive: true });
  cpSync(join(ROOT, SCRIPT), join(checkout, SCRIPT));
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  writeFileSync(join(checkout, "package.json"), JSON.stringify({ private: true, optionalDependencies }));
});
after(() => rmSync(checkout, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function install(source: string): {
  child: ChildProcess;
  says: (text: RegExp) => Promise<void>;
  ended: Promise<Ended>;
} {
  const env = { ...process.env, TMPDIR: temporary, TFJS_LIBTENSORFLOW: source };
  const child = spawn(process.execPath, [join(checkout, SCRIPT)], { cwd: checkout, env, timeout: 1_200_000 });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text) => {
      output += text;
    });
  let over = false;
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code) => {
      over = true;
      resolve({ code, output });
    }),
  );
  const says = async (text: RegExp) => {
    while (!text.test(output)) {
      if (over) throw new Error(`it never said ${text}: ${output}`);
      await delay(20);
    }
  };
  return { child, says, ended };
}

const left = () => (existsSync(cache) ? readdirSync(cache) : []);

test("install:tfjs says what it does, and leaves nothing behind when it fails, is stopped or was killed", async (t) => {
  const broken = join(checkout, "broken.whl");
  writeFileSync(broken, "no wheel");
  const failed = await install(broken).ended;
  if (/npm install: /.test(failed.output)) {
    console.error(`SKIPPED: install:tfjs is not tried. ${failed.output}`);
    t.skip("npm cannot install @tensorflow/tfjs-node here");
    return;
  }
  assert.equal(failed.code, 1);
  assert.match(failed.output, /installing the package's files \.\.\.\n[\s\S]*unpacking libtensorflow \.\.\.\n/);
  assert.match(failed.output, /no native binding \(.*\); the wasm backend will be used/);
  assert.deepEqual([left(), readdirSync(temporary)], [[], []]);

  // A library that is none: the compiler is at work when it is stopped.
  const folder = join(checkout, "libtensorflow");
  mkdirSync(join(folder, "include"), { recursive: true });
  for (const name of ["libtensorflow.so", "libtensorflow_framework.so"]) writeFileSync(join(folder, name), "");
  const stopped = install(folder);
  await stopped.says(/compiling the binding/);
  assert.equal(left().length, 1);
  stopped.child.kill("SIGTERM");
  assert.equal((await stopped.ended).code, 143);
  assert.deepEqual([left(), readdirSync(temporary)], [[], []]);
  const files = join(checkout, "node_modules/@tensorflow/tfjs-node");
  assert.ok(!existsSync(join(files, "deps")) && !existsSync(join(files, "build")));

  const killed = install(folder);
  await killed.says(/compiling the binding/);
  killed.child.kill("SIGKILL");
  await killed.ended;
  assert.equal(left().length, 1);
  await install(broken).ended;
  assert.deepEqual([left(), readdirSync(temporary)], [[], []]);
});
