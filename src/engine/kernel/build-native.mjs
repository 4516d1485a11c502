/**
 * Compiles the native kernel with the system's C compiler ($CC, else cc) to build/kernel.node; a few seconds.
 * Exits 0 with one line when there is no compiler or the platform is not served: the wasm build then takes over.
 * `--required` makes that an error.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../../../build");
const cc = process.env.CC || "cc";

/** One object per vector width: [symbol prefix, lanes, compiler options]. */
const VARIANTS = {
  x64: [
    ["avx512", 16, ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma", "-mprefer-vector-width=512"]],
    ["avx2", 8, ["-mavx2", "-mfma"]],
  ],
  arm64: [["neon", 4, []]],
};
/** -ffp-contract=off: only the fused multiply-adds that are written. -fno-math-errno: sqrt is one instruction. */
const FLAGS = ["-std=gnu11", "-O3", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra"];

/** First 12 hex digits of the SHA-256 of the C that computes: names the build. native.ts compares it with the sources. */
function sourceHash() {
  const hash = createHash("sha256");
  for (const name of ["kernel.h", "kernel.c"]) hash.update(readFileSync(join(here, name)));
  return hash.digest("hex").slice(0, 12);
}

function build() {
  const variants = VARIANTS[process.arch];
  if (!variants || process.platform === "win32")
    throw new Error(`no native kernel for ${process.platform} ${process.arch}`);
  const headers = createRequire(import.meta.url)("node-api-headers").include_dir;
  mkdirSync(out, { recursive: true });
  const work = mkdtempSync(join(out, "kernel-"));
  try {
    const run = (args) => execFileSync(cc, args, { cwd: here, stdio: ["ignore", "pipe", "pipe"] });
    const objects = variants.map(([prefix, lanes, options]) => {
      const object = join(work, `${prefix}.o`);
      run([...FLAGS, ...options, `-DLANES=${lanes}`, `-DKERNEL_PREFIX=${prefix}`, "-c", "kernel.c", "-o", object]);
      return object;
    });
    const link = process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];
    const target = join(work, "kernel.node");
    run([...FLAGS, ...link, `-DKERNEL_SOURCE=${sourceHash()}`, `-I${headers}`, "addon.c", ...objects, "-o", target]);
    // Renamed into place: a process that has the old one loaded keeps it.
    renameSync(target, join(out, "kernel.node"));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

try {
  build();
  console.log("native kernel: built");
} catch (error) {
  const reason =
    error.code === "ENOENT" ? `no C compiler (${cc})` : String(error.stderr || error.message).split("\n")[0];
  console.log(`native kernel: not built, ${reason}; the wasm kernel is used`);
  if (process.argv.includes("--required")) process.exit(1);
}
