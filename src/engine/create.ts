import type { Engine, EngineOptions } from "../core/engine.js";
import type { EngineName } from "../schemas/run.js";
import { createNativeKernel, nativeKernelProblem } from "./kernel/native.js";
import { createWasmKernel, wasmKernelProblem } from "./kernel/wasm.js";
import { createReference } from "./reference.js";

type Implementation = Exclude<EngineName, "auto">;

interface Entry {
  readonly name: Implementation;
  /** Why it cannot run here, in one line; null when it can. */
  readonly problem: () => Promise<string | null>;
  readonly create: (options: EngineOptions) => Promise<Engine>;
}

/** Fastest first: `auto` takes the first that has no problem. */
const ENGINES: readonly Entry[] = [
  {
    name: "kernel-native",
    problem: async () => nativeKernelProblem(),
    create: async (options) => createNativeKernel(options),
  },
  {
    name: "kernel-wasm",
    problem: async () => wasmKernelProblem(),
    create: async (options) => createWasmKernel(options),
  },
  {
    name: "tfjs",
    problem: async () => null,
    // Loaded when it is first used: TensorFlow.js costs every training thread memory and start-up time.
    create: async (options) => (await import("./tfjs.js")).createTfjs(options),
  },
  { name: "reference", problem: async () => null, create: async (options) => createReference(options) },
];

/** Rejects with a one-line reason when a named engine cannot run here; "auto" always finds one. */
export async function createEngine(name: EngineName, options: EngineOptions): Promise<Engine> {
  const reasons: string[] = [];
  for (const entry of ENGINES) {
    if (name !== "auto" && name !== entry.name) continue;
    const problem = await entry.problem();
    if (problem === null) return entry.create(options);
    reasons.push(problem);
  }
  throw new Error(`engine ${name} is not available: ${reasons.join("; ") || "not part of this build"}`);
}

/** Every engine with null, or the reason why it cannot run here, fastest first. */
export async function engineProblems(): Promise<Map<Implementation, string | null>> {
  return new Map(await Promise.all(ENGINES.map(async ({ name, problem }) => [name, await problem()] as const)));
}
