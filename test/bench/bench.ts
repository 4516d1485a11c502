/**
 * `npm run bench [-- --peers python] [--rounds n] [--shapes 1,2] [--sides kernel]`: steps/s and GFLOP/s of every engine that
 * loads, sides interleaved, after their losses have been found equal. `--sides`: only those whose names begin so. A step counts
 * 6 x batch x multiply-adds of the layers. Ratios are medians of the rounds'.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { parseDataset, splitExamples } from "../../src/core/dataset.js";
import type { Engine, EngineOptions } from "../../src/core/engine.js";
import { initialParameters, layerWidths } from "../../src/core/model.js";
import { createNativeKernel, nativeKernelLanes, nativeKernelProblem } from "../../src/engine/kernel/native.js";
import { createWasmKernel, wasmKernelProblem } from "../../src/engine/kernel/wasm.js";
import { createReference } from "../../src/engine/reference.js";
import { loadBackend } from "../../src/engine/tfjs/backend.js";
import { createTfjs } from "../../src/engine/tfjs.js";
import type { ModelSpec } from "../../src/schemas/model.js";

interface Side {
  readonly name: string;
  /** Null when it can run here, else why not. */
  readonly problem: () => string | null | Promise<string | null>;
  readonly create: (options: EngineOptions) => Engine | Promise<Engine>;
  /** Called before each use. */
  readonly activate?: () => Promise<unknown>;
}

/** The engines, fastest first; the last one's losses are what the others must have. */
const SIDES: readonly Side[] = [
  { name: "kernel-native", problem: nativeKernelProblem, create: createNativeKernel },
  {
    name: "kernel-native-avx2",
    problem: () => nativeKernelProblem() ?? (nativeKernelLanes()[0] === 16 ? null : "no wider build to tell it from"),
    create: (options) => createNativeKernel(options, 8),
  },
  { name: "kernel-wasm", problem: wasmKernelProblem, create: createWasmKernel },
  tfjs("tensorflow", async () => (await loadBackend()).nativeProblem),
  tfjs("wasm", async () => void (await import("@tensorflow/tfjs-backend-wasm"))),
  tfjs("cpu", async () => void (await import("@tensorflow/tfjs-backend-cpu"))),
  { name: "reference", problem: () => null, create: createReference },
];

/** TensorFlow.js on one backend; `load` registers it, and returns why it could not. */
function tfjs(backend: string, load: () => Promise<string | null | undefined>): Side {
  return {
    name: `tfjs-${backend === "tensorflow" ? "node" : backend}`,
    problem: async () => {
      await loadBackend(); // once, first: it chooses a backend of its own
      return (await load()) ?? ((await tf.setBackend(backend)) ? null : "does not start");
    },
    create: createTfjs,
    activate: () => tf.setBackend(backend),
  };
}

const SHAPES: readonly [embeddingDim: number, hiddenSizes: number[], batchSize: number][] = [
  [2, [100], 32],
  [10, [200], 32],
  [10, [200], 1024],
  [24, [512, 512], 256],
];
const SLICE_S = 0.3;
/** Steps checked: at most this many, and at least 2 of about so many FLOP in all. */
const CHECKED_STEPS = 50;
const CHECKED_FLOPS = 2e9;
const ROOT = new URL("../../../", import.meta.url);
const data = parseDataset(readFileSync(new URL("src/store/datasets/names.txt", ROOT), "utf8"));

function optionsOf([embeddingDim, hiddenSizes, batchSize]: (typeof SHAPES)[number]): EngineOptions {
  const model: ModelSpec = { contextLength: 3, embeddingDim, hiddenSizes, activation: "tanh", init: "scaled" };
  const vocabSize = data.symbols.length;
  return {
    model,
    vocabSize,
    batchSize,
    optimizer: { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 },
    seed: 1,
    splits: splitExamples(data, model.contextLength),
    parameters: initialParameters(model, vocabSize, 1),
  };
}

function run(engine: Engine, steps: number): Float32Array {
  const loss = new Float32Array(steps);
  assert.equal(engine.steps({ lr: new Float64Array(steps).fill(0.01) }, loss), steps);
  return loss;
}

/** Steps/s over about SLICE_S seconds, given the last estimate. */
function time(engine: Engine, estimate: number): number {
  const steps = Math.max(1, Math.ceil(estimate * SLICE_S));
  const start = performance.now();
  run(engine, steps);
  return (steps / (performance.now() - start)) * 1000;
}

/** Steps/s by peer, from peers.py ($PYTHON, default python3) on one thread. */
function timePeers(options: EngineOptions): Record<string, number> {
  const { model, batchSize, splits, vocabSize } = options;
  const shape = { ...model, batchSize, vocabSize, count: splits.train.count, seconds: SLICE_S };
  const script = fileURLToPath(new URL("test/bench/peers.py", ROOT));
  const { status, stdout, stderr } = spawnSync(process.env.PYTHON ?? "python3", [script, JSON.stringify(shape)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`peers.py: ${stderr.trim().split("\n").at(-1)}`);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, number>;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const { values } = parseArgs({
  options: {
    peers: { type: "string" },
    rounds: { type: "string", default: "5" },
    shapes: { type: "string" },
    sides: { type: "string", default: "" },
  },
});
const rounds = Number(values.rounds);
const shapes = values.shapes?.split(",").map((n) => SHAPES[Number(n) - 1]!) ?? SHAPES;
const sides: Side[] = [];
for (const side of SIDES.filter(({ name }) => name.startsWith(values.sides))) {
  const reason = await side.problem();
  if (reason) console.log(`${side.name} left out: ${reason}`);
  else sides.push(side);
}

for (const shape of shapes) {
  const options = optionsOf(shape);
  const widths = layerWidths(options.model, options.vocabSize);
  const multiplyAdds = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i]!, 0);
  const flops = 6 * shape[2] * multiplyAdds;
  const checked = Math.min(CHECKED_STEPS, Math.max(2, Math.floor(CHECKED_FLOPS / flops)));
  const engines: { name: string; engine: Engine; estimate: number; losses: Float32Array; speeds: number[] }[] = [];
  for (const { name, create, activate } of sides) {
    await activate?.();
    const engine = await create(options);
    const losses = run(engine, checked);
    engines.push({ name, engine, losses, estimate: time(engine, time(engine, 10)), speeds: [] });
  }
  const expected = engines.at(-1)!.losses;
  for (const { name, losses } of engines) {
    for (const [i, loss] of losses.entries()) {
      assert.ok(Math.abs(loss - expected[i]!) < 1e-4 * expected[i]!, `${name}, step ${i}: ${loss}, not ${expected[i]}`);
    }
  }
  const peers = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [i, { engine, estimate, speeds }] of engines.entries()) {
      await sides[i]!.activate?.();
      speeds.push(time(engine, estimate));
    }
    if (values.peers !== "python") continue;
    for (const [name, speed] of Object.entries(timePeers(options))) {
      peers.set(name, [...(peers.get(name) ?? []), speed]);
    }
  }
  for (const { engine } of engines) engine.dispose();
  const all: [string, number[]][] = [
    ...engines.map(({ name, speeds }): [string, number[]] => [name, speeds]),
    ...peers,
  ];
  const first = all[0]![1];
  console.log(`\n(${shape[0]}, [${shape[1]}], ${shape[2]})`);
  console.log(`${"side".padEnd(26)}${"steps/s".padStart(10)}${"GFLOP/s".padStart(10)}${"first / side".padStart(14)}`);
  for (const [name, speeds] of all) {
    const speed = median(speeds);
    const ratio = median(speeds.map((value, i) => first[i]! / value));
    const cells = [
      speed.toFixed(0).padStart(10),
      ((speed * flops) / 1e9).toFixed(1).padStart(10),
      ratio.toFixed(2).padStart(14),
    ];
    console.log(name.padEnd(26) + cells.join(""));
  }
}
