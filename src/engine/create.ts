import type { Engine, EngineOptions } from "../core/engine.js";
import { NUMERICS, OLD_BUILDS } from "../schemas/numerics.js";
import type { EngineName } from "../schemas/run.js";
import { createNativeKernels, nativeKernelProblem } from "./kernel/native.js";
import { createWasmKernels, wasmKernelProblem } from "./kernel/wasm.js";
import { createReference } from "./reference.js";
import { nativeBindingProblem } from "./tfjs/native-binding.js";

export type Implementation = Exclude<EngineName, "auto">;

interface Entry {
  readonly name: Implementation;
  /** Why it cannot run here, in one line; null when it can. */
  readonly problem: () => Promise<string | null>;
  /** One engine for each of the options, which differ in seed and parameters only. */
  readonly create: (replicas: readonly EngineOptions[]) => Promise<Engine[]>;
  readonly numerics: () => Promise<string>;
}

/** Fastest first: `auto` takes the first that has no problem. */
const ENGINES: readonly Entry[] = [
  {
    name: "kernel-native",
    problem: async () => nativeKernelProblem(),
    create: async (replicas) => createNativeKernels(replicas),
    numerics: async () => NUMERICS["kernel-native"],
  },
  {
    name: "kernel-wasm",
    problem: async () => wasmKernelProblem(),
    create: async (replicas) => createWasmKernels(replicas),
    numerics: async () => NUMERICS["kernel-wasm"],
  },
  {
    name: "tfjs",
    problem: async () => null,
    // Loaded when it is first used: TensorFlow.js costs every training thread memory and start-up time.
    create: async (replicas) => Promise.all(replicas.map((await import("./tfjs.js")).createTfjs)),
    numerics: async () => {
      const { loadBackend, tfjsNumerics } = await import("./tfjs/backend.js");
      return tfjsNumerics((await loadBackend()).build);
    },
  },
  {
    // The same on TensorFlow's native library alone.
    name: "tfjs-node",
    problem: async () => nativeBindingProblem(),
    create: async (replicas) => Promise.all(replicas.map((await import("./tfjs.js")).createTfjsNode)),
    numerics: async () => {
      const { loadBackend, tfjsNumerics } = await import("./tfjs/backend.js");
      return tfjsNumerics((await loadBackend()).build);
    },
  },
  {
    name: "reference",
    problem: async () => null,
    create: async (replicas) => replicas.map(createReference),
    numerics: async () => NUMERICS.reference,
  },
];

/** Rejects with a one-line reason when a named engine cannot run here; "auto" always finds one. */
export async function createEngine(name: EngineName, options: EngineOptions): Promise<Engine> {
  return (await createEngines(name, [options]))[0]!;
}

/** Engines that differ in seed and parameters only share what is equal: the examples, which they only read. Rejects likewise. */
export async function createEngines(name: EngineName, replicas: readonly EngineOptions[]): Promise<Engine[]> {
  const reasons: string[] = [];
  for (const entry of ENGINES) {
    if (name !== "auto" && name !== entry.name) continue;
    const problem = await entry.problem();
    if (problem === null) return entry.create(replicas);
    reasons.push(problem);
  }
  throw new Error(`engine ${name} is not available: ${reasons.join("; ") || "not part of this build"}`);
}

/**
 * The engine of this machine that a run must have: `needs` is its name, its numerics, or an old build of the same bytes.
 * null: it is not here.
 */
export async function engineFor(needs: string): Promise<Implementation | null> {
  const named = ENGINES.find(({ name }) => name === needs);
  if (named !== undefined) return (await named.problem()) === null ? named.name : null;
  for (const { name, problem, numerics } of ENGINES) {
    if (!needs.startsWith(name) || (await problem()) !== null) continue;
    const own = await numerics();
    // Of tfjs, an old build is named by the versions alone.
    if (needs === own || OLD_BUILDS[own]?.includes(needs) || own === `${needs}-${NUMERICS.tfjs}`) return name;
  }
  return null;
}

/** Every engine with null, or the reason why it cannot run here, fastest first. */
export async function engineProblems(): Promise<Map<Implementation, string | null>> {
  return new Map(await Promise.all(ENGINES.map(async ({ name, problem }) => [name, await problem()] as const)));
}
