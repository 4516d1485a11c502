import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { EngineOptions } from "../../core/engine.js";
import { NUMERICS } from "../../schemas/numerics.js";
import { createKernels, type Kernel } from "./kernel.js";

/** From dist/src/engine/kernel: the committed binary stays beside its source. */
const FILE = new URL("../../../../src/engine/kernel/kernel.wasm", import.meta.url);

/** The part of the WebAssembly API used here: TypeScript declares it only for browsers. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule) => { readonly exports: unknown };
}
interface WasmModule {
  readonly __brand: "WebAssembly.Module";
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Wasm };

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly __heap_base: { readonly value: number };
  kernel_steps(arena: number, count: number, cycled: number): number;
  kernel_evaluate(arena: number, split: number, first: number): number;
}

interface Loaded {
  readonly module: WasmModule;
  readonly name: string;
}

let loaded: Loaded | string | undefined;

function load(): Loaded | string {
  if (loaded === undefined) {
    try {
      const bytes = readFileSync(FILE);
      const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
      loaded = { module: new WebAssembly.Module(bytes), name: `kernel-wasm-simd128-${hash}` };
    } catch (error) {
      loaded = `cannot be loaded: ${(error as Error).message.split("\n")[0]}`;
    }
  }
  return loaded;
}

/** Null when the wasm kernel can be used here, else the reason in one line. */
export function wasmKernelProblem(): string | null {
  const found = load();
  return typeof found === "string" ? found : null;
}

/**
 * The kernel as wasm SIMD: "kernel-wasm-simd128-<hash of the binary>". It rounds products and sums apart, so its bits differ
 * from the native build's. Throws Error with wasmKernelProblem() when it cannot be used.
 */
export function createWasmKernel(options: EngineOptions): Kernel {
  return createWasmKernels([options])[0]!;
}

/** One for each replica (createKernels). */
export function createWasmKernels(replicas: readonly EngineOptions[]): Kernel[] {
  const found = load();
  if (typeof found === "string") throw new Error(`wasm kernel: ${found}`);
  return createKernels(replicas, (bytes) => {
    const { exports } = new WebAssembly.Instance(found.module);
    const { memory, __heap_base, kernel_steps, kernel_evaluate } = exports as Exports;
    const start = Math.ceil(__heap_base.value / 64) * 64;
    const missing = start + bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65_536));
    return {
      name: found.name,
      numerics: NUMERICS["kernel-wasm"],
      memory: memory.buffer,
      start,
      steps: (arena, count, cycled) => kernel_steps(arena, count, Number(cycled)),
      evaluate: kernel_evaluate,
    };
  });
}
