/**
 * `npm run bench [-- --peers python] [--rounds n]`: steps/s and GFLOP/s of every engine that loads, sides interleaved, after
 * their losses have been found equal. A step counts 6 x batch x multiply-adds of the layers. Ratios are medians of the rounds'.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseDataset, splitExamples } from "../../src/core/dataset.js";
import type { Engine, EngineOptions } from "../../src/core/engine.js";
import { initialParameters, layerWidths } from "../../src/core/model.js";
import { createNativeKernel, nativeKernelLanes, nativeKernelProblem } from "../../src/engine/kernel/native.js";
import { createWasmKernel, wasmKernelProblem } from "../../src/engine/kernel/wasm.js";
import type { ModelSpec } from "../../src/spec/model.js";

interface Side {
  readonly name: string;
  /** Null when it can run here, else why not. */
  readonly problem: () => string | null;
  readonly create: (options: EngineOptions) => Engine;
}

/** The engines, fastest first. */
const SIDES: readonly Side[] = [
  { name: "kernel-native", problem: nativeKernelProblem, create: createNativeKernel },
  {
    name: "kernel-native-avx2",
    problem: () => nativeKernelProblem() ?? (nativeKernelLanes()[0] === 16 ? null : "no wider build to tell it from"),
    create: (options) => createNativeKernel(options, 8),
  },
  { name: "kernel-wasm", problem: wasmKernelProblem, create: createWasmKernel },
];
const SHAPES: readonly [embeddingDim: number, hiddenSizes: number[], batchSize: number][] = [
  [2, [100], 32],
  [10, [200], 32],
  [10, [200], 1024],
  [24, [512, 512], 256],
];
const SLICE_S = 0.3;
const CHECKED_STEPS = 50;
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

const { values } = parseArgs({ options: { peers: { type: "string" }, rounds: { type: "string", default: "5" } } });
const rounds = Number(values.rounds);
const sides = SIDES.filter(({ name, problem }) => {
  const reason = problem();
  if (reason) console.log(`${name} left out: ${reason}`);
  return !reason;
});

for (const shape of SHAPES) {
  const options = optionsOf(shape);
  const widths = layerWidths(options.model, options.vocabSize);
  const multiplyAdds = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i]!, 0);
  const flops = 6 * shape[2] * multiplyAdds;
  const engines = sides.map(({ name, create }) => ({ name, engine: create(options), speeds: [] as number[] }));
  const expected = run(engines.at(-1)!.engine, CHECKED_STEPS);
  for (const { name, engine } of engines.slice(0, -1)) {
    for (const [i, loss] of run(engine, CHECKED_STEPS).entries()) {
      assert.ok(Math.abs(loss - expected[i]!) < 1e-4 * expected[i]!, `${name}, step ${i}: ${loss}, not ${expected[i]}`);
    }
  }
  const estimates = engines.map(({ engine }) => time(engine, time(engine, 10)));
  const peers = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [i, { engine, speeds }] of engines.entries()) speeds.push(time(engine, estimates[i]!));
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
