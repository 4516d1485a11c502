/**
 * Compiles kernel.c to kernel.wasm (committed) with clang and lld, and records the compiler's version in kernel.wasm.json.
 * `--check` compiles and compares the bytes instead: exit 1 when they differ, exit 0 with a loud line when this machine has
 * no clang, or another version than the recorded one (whose bytes may differ rightly).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const clang = process.env.CLANG || "clang";
const FLAGS = ["--target=wasm32", "-std=gnu11", "-O3", "-msimd128", "-mbulk-memory", "-ffreestanding", "-nostdlib"];
const MORE = ["-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-DLANES=4"];
const LINK = [
  "-Wl,--no-entry",
  "-Wl,--export=kernel_steps",
  "-Wl,--export=kernel_evaluate",
  "-Wl,--export=__heap_base",
];

/** "clang 14.0.6": the distribution's suffix left out. */
function compilerVersion() {
  const first = execFileSync(clang, ["--version"], { encoding: "utf8" }).split("\n")[0];
  return `clang ${/version (\d+\.\d+\.\d+)/.exec(first)[1]}`;
}

function compile() {
  const work = mkdtempSync(join(tmpdir(), "kernel-wasm-"));
  try {
    const out = join(work, "kernel.wasm");
    const link = [...LINK, "-Wl,--strip-all", "-Wl,-z,stack-size=65536"];
    execFileSync(clang, [...FLAGS, ...MORE, ...link, "kernel.c", "-o", out], {
      cwd: here,
      stdio: ["ignore", "inherit", "inherit"],
    });
    return readFileSync(out);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const check = process.argv.includes("--check");
const recordFile = join(here, "kernel.wasm.json");
const wasmFile = join(here, "kernel.wasm");
let version;
try {
  version = compilerVersion();
} catch {
  console.log(`SKIPPED: wasm kernel not ${check ? "checked" : "built"}, no ${clang}`);
  process.exit(check ? 0 : 1);
}
if (!check) {
  const bytes = compile();
  writeFileSync(wasmFile, bytes);
  writeFileSync(recordFile, `{ "compiler": ${JSON.stringify(version)} }\n`); // as Biome formats it
  console.log(`wasm kernel: built by ${version}, ${bytes.length} bytes`);
} else {
  const recorded = JSON.parse(readFileSync(recordFile, "utf8")).compiler;
  if (recorded !== version) {
    console.log(`SKIPPED: wasm kernel not checked, it was built by ${recorded} and this is ${version}`);
  } else if (compile().equals(readFileSync(wasmFile))) {
    console.log(`wasm kernel: the committed bytes are those of ${version}`);
  } else {
    console.log("wasm kernel: the committed bytes differ from a fresh build (npm run build:wasm)");
    process.exit(1);
  }
}
