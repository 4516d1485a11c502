import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { EngineOptions } from "../../core/engine.js";
import { NUMERICS } from "../../schemas/numerics.js";
import { createKernels, type Kernel } from "./kernel.js";

/** What addon.c exports. */
interface Addon {
  readonly source: string;
  /** Vector widths this processor has, widest first; all give the same bits. */
  readonly lanes: readonly number[];
  steps(lanes: number, arena: ArrayBuffer, offset: number, count: number, cycled: number): number;
  evaluate(lanes: number, arena: ArrayBuffer, offset: number, split: number, first: number): number;
  offset(buffer: ArrayBuffer): number;
}

/** From dist/src/engine/kernel. */
const ROOT = new URL("../../../../", import.meta.url);
const SOURCES = ["src/engine/kernel/kernel.h", "src/engine/kernel/kernel.c"].map((path) => new URL(path, ROOT));

let loaded: Addon | string | undefined;

/** The addon, or in one line why there is none. */
function addon(): Addon | string {
  loaded ??= loadAddon();
  return loaded;
}

function loadAddon(): Addon | string {
  const file = fileURLToPath(new URL("build/kernel.node", ROOT));
  if (!existsSync(file)) return "not built (npm run build:native)";
  let found: Addon;
  try {
    found = createRequire(import.meta.url)(file) as Addon;
  } catch (error) {
    return `cannot be loaded: ${(error as Error).message.split("\n")[0]}`;
  }
  if (found.lanes.length === 0) return "this processor lacks AVX2 and FMA";
  // An addon from older sources may read the arena by another table. Where the sources are not shipped, it cannot differ.
  if (SOURCES.every((source) => existsSync(source)) && found.source !== sourceHash()) {
    return "built from other sources (npm run build:native)";
  }
  return found;
}

function sourceHash(): string {
  const hash = createHash("sha256");
  for (const source of SOURCES) hash.update(readFileSync(source));
  return hash.digest("hex").slice(0, 12);
}

/** Null when the native kernel can be used here, else the reason in one line. */
export function nativeKernelProblem(): string | null {
  const found = addon();
  return typeof found === "string" ? found : null;
}

/** Vector widths (lanes of 32-bit floats) of the native builds that run here, widest first. Equal bits whichever is used. */
export function nativeKernelLanes(): readonly number[] {
  const found = addon();
  return typeof found === "string" ? [] : found.lanes;
}

/**
 * The kernel as a native addon: "kernel-native-fma8-<hash of its C source>". The name has no vector width, since all of them
 * (AVX-512, AVX2, NEON) give the same bytes. Throws Error with nativeKernelProblem() when it cannot be used.
 */
export function createNativeKernel(options: EngineOptions, lanes?: number): Kernel {
  return createNativeKernels([options], lanes)[0]!;
}

/** One for each replica (createKernels). */
export function createNativeKernels(replicas: readonly EngineOptions[], lanes = nativeKernelLanes()[0] ?? 0): Kernel[] {
  const found = addon();
  if (typeof found === "string") throw new Error(`native kernel: ${found}`);
  return createKernels(replicas, (bytes) => {
    const memory = new ArrayBuffer(bytes + 64);
    const start = found.offset(memory);
    return {
      name: `kernel-native-fma8-${found.source}`,
      numerics: NUMERICS["kernel-native"],
      memory,
      start,
      steps: (arena, count, cycled) => found.steps(lanes, memory, arena, count, Number(cycled)),
      evaluate: (arena, split, first) => found.evaluate(lanes, memory, arena, split, first),
    };
  });
}
