import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export const WAY_TO_NATIVE = "`npm run install:tfjs` builds it, or engine tfjs takes WebAssembly";

/**
 * Why TensorFlow's native binding cannot be used here, in one line; null: it is installed. It is not loaded for this, which would
 * cost a worker hundreds of megabytes: one that is there and does not load fails its run.
 */
export function nativeBindingProblem(): string | null {
  const problem = `tfjs-node has no native binding here: ${WAY_TO_NATIVE}`;
  try {
    const manifest = createRequire(import.meta.url).resolve("@tensorflow/tfjs-node/package.json");
    const lib = join(dirname(manifest), "lib");
    // By the version of Node-API that it was built for.
    const builds = readdirSync(lib).filter((name) => /^napi-v\d+$/.test(name));
    return builds.some((name) => existsSync(join(lib, name, "tfjs_binding.node"))) ? null : problem;
  } catch {
    return problem;
  }
}
