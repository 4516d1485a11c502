#!/usr/bin/env node
/**
 * Gives @tensorflow/tfjs-node its native binding. Usage: node install-native.mjs [wheel or libtensorflow folder]
 * (or TFJS_LIBTENSORFLOW=...). Without either: the package's own installer, which downloads from Google; where that is
 * out of reach, libtensorflow comes from the wheel that `pip download tensorflow-cpu` finds, and the binding is compiled.
 * Plain JavaScript, since it runs before anything is built. Prints one line; exits 1 when it could not.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const DOWNLOAD_TIMEOUT_MS = 120_000;
const BUILD_TIMEOUT_MS = 600_000;
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const require = createRequire(join(root, "package.json"));
const packageDir = join(root, "node_modules", "@tensorflow", "tfjs-node");

/** Runs quietly; throws an Error with the last line that the command wrote. */
function run(command, args, options = {}) {
  try {
    return execFileSync(command, args, { cwd: root, stdio: "pipe", encoding: "utf8", maxBuffer: 1 << 26, ...options });
  } catch (error) {
    const lines = `${error.stdout ?? ""}\n${error.stderr ?? ""}`.trim().split("\n");
    throw new Error(`${command} ${args[0]}: ${error.code === "ENOENT" ? "not found" : lines.at(-1) || error.message}`);
  }
}

/** The TensorFlow version that the binding reports, or null where it does not load. In a process of its own, as it stays loaded. */
function installedVersion() {
  const script = `const util = require("node:util"); util.isNullOrUndefined ??= (x) => x == null; util.isArray ??= Array.isArray;
    console.log("loaded", require("@tensorflow/tfjs-node").backend().binding.TF_Version);`;
  try {
    return /^loaded (.+)$/m.exec(run(process.execPath, ["-e", script], { env: quietEnv() }))[1];
  } catch {
    return null;
  }
}

function quietEnv() {
  return { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2" };
}

/** npm may have dropped the optional package, or its install script may have been refused: take the files alone. */
function ensurePackage() {
  if (existsSync(join(packageDir, "package.json"))) return;
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const range = optionalDependencies["@tensorflow/tfjs-node"];
  run("npm", ["install", "--ignore-scripts", "--no-save", `@tensorflow/tfjs-node@${range}`]);
}

function ownInstaller() {
  run(process.execPath, ["scripts/install.js"], { cwd: packageDir, timeout: DOWNLOAD_TIMEOUT_MS, env: buildEnv() });
}

/** node-pre-gyp looks for node-gyp on the PATH or in npm, and for Node's headers beside the running node. */
function buildEnv() {
  const bin = [join(root, "node_modules", ".bin"), dirname(process.execPath)];
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, "include", "node", "node_api.h"));
  const nodeGyp = findNodeGyp();
  return {
    ...process.env,
    PATH: [...bin, process.env.PATH].join(delimiter),
    ...(headers ? { npm_config_nodedir: prefix } : {}),
    ...(nodeGyp === null ? {} : { npm_config_node_gyp: nodeGyp }),
  };
}

/** npm carries node-gyp; where npm lies depends on how Node was installed, so npm is asked. */
function findNodeGyp() {
  const places = [join(run("npm", ["root", "--global"]).trim(), "npm"), ...npmBeside(process.env.npm_execpath)];
  const files = places.map((place) => join(place, "node_modules", "node-gyp", "bin", "node-gyp.js"));
  return files.find((file) => existsSync(file)) ?? null;
}

function npmBeside(execPath) {
  return execPath === undefined ? [] : [dirname(dirname(execPath))];
}

/** Unpacks a wheel (a zip) and returns its `tensorflow` folder. */
function unpackWheel(wheel, into) {
  const AdmZip = require(require.resolve("adm-zip", { paths: [packageDir] }));
  for (const entry of new AdmZip(wheel).getEntries()) {
    const wanted = /^tensorflow\/(libtensorflow_(cc|framework)\.|include\/)/.test(entry.entryName);
    if (wanted && !entry.isDirectory) {
      const target = join(into, entry.entryName);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, entry.getData());
    }
  }
  return join(into, "tensorflow");
}

function downloadWheel(into) {
  const args = ["-m", "pip", "download", "tensorflow-cpu", "--no-deps", "--quiet", "--dest", into];
  const failures = [];
  for (const python of ["python3", "python"]) {
    try {
      run(python, args, { timeout: BUILD_TIMEOUT_MS });
      return join(
        into,
        readdirSync(into).find((name) => name.endsWith(".whl")),
      );
    } catch (error) {
      failures.push(error.message);
    }
  }
  throw new Error(failures.join("; "));
}

/** Copies the libraries of a `tensorflow` or libtensorflow folder to where the binding looks, and compiles the binding. */
function buildFrom(folder) {
  const libraries = existsSync(join(folder, "lib")) ? join(folder, "lib") : folder;
  const names = readdirSync(libraries);
  const deps = join(packageDir, "deps");
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, "lib"), { recursive: true });
  const library = pick(names, [/^libtensorflow_cc\.so\.\d+$/, /^libtensorflow\.so/]);
  const framework = pick(names, [/^libtensorflow_framework\.so/]);
  copyFileSync(join(libraries, library), join(deps, "lib", "libtensorflow.so"));
  copyFileSync(join(libraries, framework), join(deps, "lib", "libtensorflow_framework.so"));
  // The loader asks for the names inside the libraries, which carry the major version.
  if (library.startsWith("libtensorflow_cc")) symlinkSync("libtensorflow.so", join(deps, "lib", library));
  symlinkSync("libtensorflow_framework.so", join(deps, "lib", "libtensorflow_framework.so.2"));
  cpSync(join(folder, "include"), join(deps, "include"), { recursive: true });
  const preGyp = require.resolve("@mapbox/node-pre-gyp/bin/node-pre-gyp", { paths: [packageDir] });
  const args = [preGyp, "install", "--build-from-source"];
  run(process.execPath, args, { cwd: packageDir, timeout: BUILD_TIMEOUT_MS, env: buildEnv() });
}

function pick(names, patterns) {
  for (const pattern of patterns) {
    const name = names.find((candidate) => pattern.test(candidate));
    if (name !== undefined) return name;
  }
  throw new Error(`no file like ${patterns.at(-1)}`);
}

function install(source) {
  const scratch = mkdtempSync(join(tmpdir(), "anneal-tfjs-"));
  try {
    const given = source ?? downloadWheel(scratch);
    buildFrom(statSync(given).isDirectory() ? given : unpackWheel(given, scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const source = process.argv[2] ?? process.env.TFJS_LIBTENSORFLOW;
const failures = [];
let version = null;
try {
  ensurePackage();
  version = installedVersion();
  for (const attempt of source ? [() => install(resolve(source))] : [ownInstaller, () => install()]) {
    if (version !== null) break;
    try {
      attempt();
      version = installedVersion();
      if (version === null) failures.push("built, but the binding does not load");
    } catch (error) {
      failures.push(error.message);
    }
  }
} catch (error) {
  failures.push(error.message);
}
if (version === null)
  console.error(`tfjs-node: no native binding (${failures.join("; ")}); the wasm backend will be used`);
else console.log(`tfjs-node: native binding ready, TensorFlow ${version}`);
process.exitCode = version === null ? 1 : 0;
