import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { NUMERICS } from "../../schemas/numerics.js";

/** The backend that this thread computes with; TensorFlow.js has one per thread, shared by every engine in it. */
export interface TfjsBackend {
  readonly name: "node" | "wasm" | "cpu";
  /** e.g. "tfjs-4.22.0-node-tf2.9.1", "tfjs-4.22.0-wasm". */
  readonly build: string;
  /** Why the native binding is not used, in one line; null when it is. */
  readonly nativeProblem: string | null;
}

/** The numerics of a build: the versions of the libraries, and of what is ours around them. */
export const tfjsNumerics = (build: string) => `${build}-${NUMERICS.tfjs}`;

let loaded: Promise<TfjsBackend> | undefined;

/** Loads the fastest backend once: the native binding, else WebAssembly, else plain JavaScript. */
export function loadBackend(): Promise<TfjsBackend> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<TfjsBackend> {
  const version = `tfjs-${tf.version_core}`;
  const nativeProblem = await attempt(useNative);
  if (nativeProblem === null) {
    return { name: "node", build: `${version}-node-tf${libtensorflowVersion()}`, nativeProblem };
  }
  const wasmProblem = await attempt(useWasm);
  if (wasmProblem === null) return { name: "wasm", build: `${version}-wasm`, nativeProblem };
  await import("@tensorflow/tfjs-backend-cpu");
  await tf.setBackend("cpu");
  return { name: "cpu", build: `${version}-cpu`, nativeProblem };
}

async function useNative(): Promise<void> {
  // Node 23 removed what tfjs-node 4.22 still calls.
  const removed = util as unknown as Record<string, unknown>;
  removed.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  removed.isArray ??= Array.isArray;
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  const name = "@tensorflow/tfjs-node"; // not a literal: the package is optional, so its types may be absent
  await import(name);
  if (!(await tf.setBackend("tensorflow"))) throw new Error("the native backend did not start");
}

async function useWasm(): Promise<void> {
  await import("@tensorflow/tfjs-backend-wasm");
  if (!(await tf.setBackend("wasm"))) throw new Error("the wasm backend did not start");
}

/** Null when it worked, else the first line of what went wrong. */
async function attempt(effect: () => Promise<void>): Promise<string | null> {
  try {
    await effect();
    return null;
  } catch (error) {
    return String(error instanceof Error ? error.message : error).split("\n")[0]!;
  }
}

function libtensorflowVersion(): string {
  return (tf.backend() as unknown as { binding: { TF_Version: string } }).binding.TF_Version;
}
