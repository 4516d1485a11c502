import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, ROOT, run } from "./install.mjs";
import { say } from "./say.mjs";

const DIST = join(ROOT, "dist");
const STAMP = join(DIST, ".built");
/** The compiled files that the last build left, one a line. */
const MANIFEST = join(DIST, ".files");
const INPUTS = ["src", "test", "tsconfig.json", "package-lock.json"];

/** What is built besides TypeScript, anew only where an input's bytes have changed or the output is gone. */
const PRODUCTS = [
  {
    name: "native-kernel",
    script: "src/engine/kernel/build-native.mjs",
    // In the image a native kernel that does not compile is an error; elsewhere the wasm build takes over.
    args: process.argv.includes("--native") ? ["--required"] : [],
    output: "build/kernel.node",
    inputs: ["src/engine/kernel"],
    settings: [process.env.CC ?? "", process.arch],
  },
  {
    name: "programs",
    script: "src/bin/setup/bundle.mjs",
    args: [],
    output: "dist/programs/api.js",
    // It changes whenever a compiled file does.
    inputs: ["src/bin/setup/bundle.mjs", "dist/.tsbuildinfo", "package-lock.json"],
    settings: [],
  },
  {
    name: "chart-drawing",
    script: "src/api/plots/build.mjs",
    args: [],
    output: "dist/src/api/plots/echarts.mjs",
    inputs: ["src/api/plots/build.mjs", "src/api/plots/echarts.mjs", "package-lock.json"],
    settings: [],
  },
  {
    name: "dashboard",
    script: "src/web/build.mjs",
    args: [],
    output: "dist/src/web/app.js.br",
    inputs: ["src/web", "src/client", "src/core", "src/schemas", "tsconfig.json", "package-lock.json"],
    settings: [],
  },
];

/** Brings dist (TypeScript, the dashboard) and build (the native kernel, where there is a C compiler) up to date. */
export function build() {
  mkdirSync(DIST, { recursive: true });
  dropOrphans();
  run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc")]);
  writeFileSync(MANIFEST, compiled().join("\n"));
  for (const product of PRODUCTS) refresh(product);
  writeFileSync(STAMP, "");
}

/** What was compiled from a file that is gone must not run; what is missing makes the compiler, which only looks at its inputs, begin anew. */
function dropOrphans() {
  const present = new Set(compiled());
  const wanted = existsSync(MANIFEST) ? readFileSync(MANIFEST, "utf8").split("\n") : [""];
  const isSound = wanted.every((file) => !existsSync(sourceOf(file)) || present.has(file));
  if (!isSound || wanted[0] === "") rmSync(join(DIST, ".tsbuildinfo"), { force: true });
  for (const file of present) if (!existsSync(sourceOf(file))) rmSync(join(DIST, file));
}

/** Every file in dist that the compiler writes, and no bundle. */
function compiled() {
  return readdirSync(DIST, { recursive: true })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => /\.js(\.map)?$/.test(file) && !/^(src\/web\/app\.js|programs\/)/.test(file))
    .sort();
}

const sourceOf = (file) => join(ROOT, file.replace(/\.js(\.map)?$/, ".ts"));

function refresh({ name, script, args, output, inputs, settings }) {
  const mark = join(DIST, `.${name}`);
  const digest = digestOf(inputs, settings);
  if (existsSync(join(ROOT, output)) && existsSync(mark) && readFileSync(mark, "utf8") === digest) return;
  run(process.execPath, [join(ROOT, script), ...args]);
  writeFileSync(mark, digest);
}

function digestOf(inputs, settings) {
  const hash = createHash("sha256").update(settings.join("\0"));
  for (const input of inputs) {
    const path = join(ROOT, input);
    const files = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true }).map((f) => join(path, f))
      : [path];
    for (const file of files.sort()) if (statSync(file).isFile()) hash.update(`\0${file}\0`).update(readFileSync(file));
  }
  return hash.digest("hex");
}

export function ensureBuilt() {
  const builtAt = existsSync(STAMP) ? statSync(STAMP).mtimeMs : 0;
  if (INPUTS.every((input) => newest(join(ROOT, input)) <= builtAt)) return;
  say("building");
  build();
}

/** The native kernel of an installed package, which has the rest built: once, where there is a C compiler. */
export function ensureKernel() {
  const [kernel] = PRODUCTS;
  if (!existsSync(join(ROOT, kernel.output))) run(process.execPath, [join(ROOT, kernel.script)]);
}

function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), stat.mtimeMs);
}

if (isMain(import.meta.url)) build();
