import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { atOnce } from "../../src/core/evaluation.js";
import { loadBackend } from "../../src/engine/tfjs/backend.js";
import { createTfjs } from "../../src/engine/tfjs.js";
import { conformance, F32 } from "./conformance.js";
import { problem } from "./problem.js";

const { build, nativeProblem } = await loadBackend();
if (nativeProblem !== null) console.log(`SKIPPED: tfjs on its native binding. ${nativeProblem}`);
conformance(build, createTfjs, F32);

const SHAPE = {
  hiddenSizes: [9],
  activation: "tanh",
  vocabSize: 27,
  contextLength: 3,
  embeddingDim: 2,
  examples: 40,
} as const;

test("tfjs on its native binding", { skip: nativeProblem ?? false }, () => assert.match(build, /-node-tf/));

test("no call leaves a tensor behind", async () => {
  const before = tf.memory().numTensors;
  const engine = await createTfjs(problem({ ...SHAPE, hiddenSizes: [9] }, { batchSize: 8 }));
  const lr = new Float64Array(3).fill(0.1);
  const use = () => {
    engine.steps({ lr }, new Float32Array(3));
    engine.steps({ lr: Float64Array.of(Number.NaN, 0, 0) }, new Float32Array(3)); // ends at a loss that is not finite
    atOnce(engine.evaluation("validation"));
    engine.writeState(engine.readState());
    engine.readParameters();
  };
  use();
  const after = tf.memory().numTensors;
  use();
  assert.equal(tf.memory().numTensors, after);
  engine.dispose();
  assert.equal(tf.memory().numTensors, before);
});

test("worker threads train at the same time and give the same bytes", async () => {
  const script = `
    const { parentPort, workerData } = require("node:worker_threads");
    (async () => {
      const { createTfjs } = await import(workerData.engine);
      const { problem } = await import(workerData.problem);
      const engine = await createTfjs(problem(workerData.shape, { batchSize: 8 }));
      const loss = new Float32Array(50);
      engine.steps({ lr: new Float64Array(50).fill(0.1) }, loss);
      parentPort.postMessage({ build: engine.build, loss });
    })();`;
  const workerData = {
    engine: new URL("../../src/engine/tfjs.js", import.meta.url).href,
    problem: new URL("./problem.js", import.meta.url).href,
    shape: SHAPE,
  };
  const workers = [0, 1].map(() => new Worker(script, { eval: true, workerData }));
  const [a, b] = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0]));
  assert.deepEqual(a, b);
  assert.equal(a.build, build);
  assert.ok(a.loss.every(Number.isFinite) && a.loss[49] !== 0);
});
