#!/usr/bin/env node
/**
 * Gives @tensorflow/tfjs-node its native binding. Usage: node install-native.mjs [wheel or libtensorflow folder]
 * (or TFJS_LIBTENSORFLOW=...). Without either: the package's own installer, which downloads from Google; where that is
 * out of reach, libtensorflow comes from the wheel that `pip download tensorflow-cpu` finds, and the binding is compiled.
 * Plain JavaScript, since it runs before anything is built. Says what it does, and every 10 s that it still does; exits 1 when it
 * could not. What it needs on the way lies in node_modules/.cache and is gone at its end, also when it is stopped; of a killed one
 * the next removes it.
 */
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const DOWNLOAD_TIMEOUT_MS = 120_000;
const BUILD_TIMEOUT_MS = 1_200_000;
const SAYS_EVERY_MS = 10_000;
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const require = createRequire(join(root, "package.json"));
const packageDir = join(root, "node_modules", "@tensorflow", "tfjs-node");
const cache = join(root, "node_modules", ".cache", "anneal-tfjs");
/** Named by the process, so that a later one sees whether its owner lives. */
const scratch = join(cache, String(process.pid));
const deps = join(packageDir, "deps");
/** What is half made until the binding loads. */
const unfinished = [scratch];

const say = (text) => console.log(`tfjs-node: ${text}`);

/** The process group that runs now; it is ended with this process. */
let current = null;

function removeUnfinished() {
  for (const path of unfinished) rmSync(path, { recursive: true, force: true });
  if (existsSync(cache) && readdirSync(cache).length === 0) rmSync(cache, { recursive: true });
}

for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
  process.once(signal, () => {
    stop(current);
    removeUnfinished();
    process.exit(128 + number);
  });
}

function stop(child) {
  if (child === null || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

/** Of processes that were killed. */
function removeStale() {
  for (const name of existsSync(cache) ? readdirSync(cache) : []) {
    try {
      process.kill(Number(name), 0);
    } catch (error) {
      if (error.code === "ESRCH") rmSync(join(cache, name), { recursive: true, force: true });
    }
  }
}

/** What a command writes; throws an Error with the last line that it wrote. `doing`: said at once and while it lasts. */
function run(command, args, { doing, timeout = DOWNLOAD_TIMEOUT_MS, ...options } = {}) {
  const began = Date.now();
  if (doing !== undefined) say(`${doing} ...`);
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], detached: true, ...options });
    current = child;
    let output = "";
    const heard = (text) => {
      output = (output + text).slice(-100_000);
    };
    child.stdout.setEncoding("utf8").on("data", heard);
    child.stderr.setEncoding("utf8").on("data", heard);
    const ticking = setInterval(() => {
      const seconds = Math.round((Date.now() - began) / 1000);
      if (doing !== undefined) say(`${doing}: ${seconds} s, ${Math.round(bytesIn(scratch) / 1e6)} MB`);
    }, SAYS_EVERY_MS);
    const ending = setTimeout(() => {
      stop(child);
      heard(`\nended after ${timeout / 1000} s`);
    }, timeout);
    const ended = (error) => {
      clearInterval(ticking);
      clearTimeout(ending);
      if (current === child) current = null;
      if (error === null) done(output);
      else fail(new Error(`${command} ${args[0]}: ${error}`));
    };
    child.on("error", (error) => ended(error.code === "ENOENT" ? "not found" : error.message));
    child.on("close", (code) => ended(code === 0 ? null : output.trim().split("\n").at(-1) || `ended with ${code}`));
  });
}

function bytesIn(folder) {
  if (!existsSync(folder)) return 0;
  let sum = 0;
  for (const name of readdirSync(folder, { recursive: true })) {
    sum += lstatSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return sum;
}

/** The TensorFlow version that the binding reports, or null where it does not load. In a process of its own, as it stays loaded. */
async function installedVersion() {
  const script = `const util = require("node:util"); util.isNullOrUndefined ??= (x) => x == null; util.isArray ??= Array.isArray;
    console.log("loaded", require("@tensorflow/tfjs-node").backend().binding.TF_Version);`;
  try {
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2" };
    return /^loaded (.+)$/m.exec(await run(process.execPath, ["-e", script], { env }))[1];
  } catch {
    return null;
  }
}

/** npm may have dropped the optional package, or its install script may have been refused: take the files alone. */
async function ensurePackage() {
  if (existsSync(join(packageDir, "package.json"))) return;
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const range = optionalDependencies["@tensorflow/tfjs-node"];
  const args = ["install", "--ignore-scripts", "--no-save", "--no-audit", `@tensorflow/tfjs-node@${range}`];
  await run("npm", args, { doing: "installing the package's files", timeout: BUILD_TIMEOUT_MS });
}

async function ownInstaller() {
  const env = await buildEnv();
  const doing = "asking the package's own installer, which downloads from Google";
  await run(process.execPath, ["scripts/install.js"], { cwd: packageDir, env, doing });
}

/** node-pre-gyp looks for node-gyp on the PATH or in npm, and for Node's headers beside the running node. */
async function buildEnv() {
  const bin = [join(root, "node_modules", ".bin"), dirname(process.execPath)];
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, "include", "node", "node_api.h"));
  const nodeGyp = await findNodeGyp();
  return {
    ...process.env,
    PATH: [...bin, process.env.PATH].join(delimiter),
    TMPDIR: scratch,
    ...(headers ? { npm_config_nodedir: prefix } : {}),
    ...(nodeGyp === null ? {} : { npm_config_node_gyp: nodeGyp }),
  };
}

/** npm carries node-gyp; where npm lies depends on how Node was installed, so npm is asked. */
async function findNodeGyp() {
  const global = await run("npm", ["root", "--global"]);
  const places = [join(global.trim(), "npm"), ...npmBeside(process.env.npm_execpath)];
  const files = places.map((place) => join(place, "node_modules", "node-gyp", "bin", "node-gyp.js"));
  return files.find((file) => existsSync(file)) ?? null;
}

function npmBeside(execPath) {
  return execPath === undefined ? [] : [dirname(dirname(execPath))];
}

/** The members that are needed, piece by piece: libraries of hundreds of megabytes are never in memory. */
const UNPACK = `
import os, re, shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for entry in wheel.infolist():
        if re.match(r"tensorflow/(libtensorflow_(cc|framework)\\.|include/)", entry.filename) and not entry.is_dir():
            wheel.extract(entry, sys.argv[2])
`;

/** Unpacks a wheel (a zip) and returns its `tensorflow` folder. */
async function unpackWheel(wheel) {
  await python(["-c", UNPACK, wheel, scratch], { doing: "unpacking libtensorflow" });
  return join(scratch, "tensorflow");
}

async function downloadWheel() {
  // Its cache would keep the wheel twice, and read it whole.
  const args = ["-m", "pip", "download", "tensorflow-cpu", "--no-deps", "--no-cache-dir", "--quiet", "--dest", scratch];
  await python(args, { doing: "downloading the wheel tensorflow-cpu by pip" });
  return join(
    scratch,
    readdirSync(scratch).find((name) => name.endsWith(".whl")),
  );
}

async function python(args, options) {
  const env = { ...process.env, TMPDIR: scratch };
  const failures = [];
  for (const program of ["python3", "python"]) {
    try {
      return await run(program, args, { ...options, env, timeout: BUILD_TIMEOUT_MS });
    } catch (error) {
      failures.push(error.message);
    }
  }
  throw new Error(failures.join("; "));
}

/** Brings the libraries of a `tensorflow` or libtensorflow folder to where the binding looks, and compiles the binding. */
async function buildFrom(folder) {
  const libraries = existsSync(join(folder, "lib")) ? join(folder, "lib") : folder;
  const names = readdirSync(libraries);
  unfinished.push(deps, join(packageDir, "build"));
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, "lib"), { recursive: true });
  const library = pick(names, [/^libtensorflow_cc\.so\.\d+$/, /^libtensorflow\.so/]);
  const framework = pick(names, [/^libtensorflow_framework\.so/]);
  // Our own copies are moved; what was given stays where it is.
  const bring = folder.startsWith(scratch) ? renameSync : (from, to) => cpSync(from, to, { dereference: true });
  bring(join(libraries, library), join(deps, "lib", "libtensorflow.so"));
  bring(join(libraries, framework), join(deps, "lib", "libtensorflow_framework.so"));
  // The loader asks for the names inside the libraries, which carry the major version.
  if (library.startsWith("libtensorflow_cc")) symlinkSync("libtensorflow.so", join(deps, "lib", library));
  symlinkSync("libtensorflow_framework.so", join(deps, "lib", "libtensorflow_framework.so.2"));
  cpSync(join(folder, "include"), join(deps, "include"), { recursive: true });
  const preGyp = require.resolve("@mapbox/node-pre-gyp/bin/node-pre-gyp", { paths: [packageDir] });
  const args = [preGyp, "install", "--build-from-source"];
  const env = await buildEnv();
  await run(process.execPath, args, {
    cwd: packageDir,
    doing: "compiling the binding",
    timeout: BUILD_TIMEOUT_MS,
    env,
  });
}

function pick(names, patterns) {
  for (const pattern of patterns) {
    const name = names.find((candidate) => pattern.test(candidate));
    if (name !== undefined) return name;
  }
  throw new Error(`no file like ${patterns.at(-1)}`);
}

async function install(source) {
  const given = source ?? (await downloadWheel());
  await buildFrom(statSync(given).isDirectory() ? given : await unpackWheel(given));
}

/** Only the compiler needs them. */
function removeBuildFiles() {
  for (const path of [join(deps, "include"), join(packageDir, "build")]) rmSync(path, { recursive: true, force: true });
  unfinished.length = 1;
}

const source = process.argv[2] ?? process.env.TFJS_LIBTENSORFLOW;
const failures = [];
let version = null;
try {
  removeStale();
  mkdirSync(scratch, { recursive: true });
  await ensurePackage();
  version = await installedVersion();
  for (const attempt of source ? [() => install(resolve(source))] : [ownInstaller, () => install()]) {
    if (version !== null) break;
    try {
      await attempt();
      version = await installedVersion();
      if (version === null) failures.push("built, but the binding does not load");
      else removeBuildFiles();
    } catch (error) {
      failures.push(error.message);
    }
  }
} catch (error) {
  failures.push(error.message);
} finally {
  removeUnfinished();
}
if (version === null)
  console.error(`tfjs-node: no native binding (${failures.join("; ")}); the wasm backend will be used`);
else say(`native binding ready, TensorFlow ${version}`);
process.exitCode = version === null ? 1 : 0;
