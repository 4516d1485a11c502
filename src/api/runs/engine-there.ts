import type { FieldError } from "../../schemas/problem.js";
import type { EngineName } from "../../schemas/run.js";
import type { Fleet } from "../../store/contract.js";
import { invalidRequest } from "../http/problems.js";

/** How a worker comes by an engine; the others are part of every build. */
const WAYS: Partial<Record<EngineName, string>> = {
  "kernel-native": "`npm run build:native` makes it on a worker's machine, which needs a C compiler",
  "tfjs-node":
    "`npm run install:tfjs` adds it on a worker's machine, and the image has it unless TFJS=no; or engine tfjs, which takes WebAssembly there",
};

export interface AskedEngine {
  readonly engine: EngineName;
  /** Of the field that asks for it. */
  readonly pointer: string;
}

/** Refuses an engine that workers are there for, but none has: its run would wait for one that may never come. */
export async function requireEngines(fleet: Pick<Fleet, "workers">, asked: readonly AskedEngine[]): Promise<void> {
  const named = asked.filter(({ engine }) => engine !== "auto");
  if (named.length === 0) return;
  const workers = await fleet.workers();
  if (workers.length === 0) return;
  const builds = workers.flatMap(({ facts }) => facts.engines);
  const errors = named.flatMap(({ engine, pointer }): FieldError[] => {
    // A build's name begins with its engine's.
    if (builds.some((build) => build === engine || build.startsWith(`${engine}-`))) return [];
    const way = WAYS[engine];
    const expected = "an engine that a worker has, or auto";
    const message = `is ${engine}, which no worker here has${way === undefined ? "" : `: ${way}`}`;
    return [{ pointer, expected, message }];
  });
  if (errors.length > 0) throw invalidRequest(errors);
}
