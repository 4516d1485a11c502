import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import type { EngineOptions } from "../../../src/core/engine.js";
import { atOnce } from "../../../src/core/evaluation.js";
import { drawBatch } from "../../../src/core/rng.js";
import type { Kernel } from "../../../src/engine/kernel/kernel.js";
import { createNativeKernel, nativeKernelLanes, nativeKernelProblem } from "../../../src/engine/kernel/native.js";
import { createWasmKernel } from "../../../src/engine/kernel/wasm.js";
import { createReference } from "../../../src/engine/reference.js";
import { OPTIMIZERS } from "../../../src/schemas/optimizers.js";
import { ODD_SHAPES, optionsOf, type Shape } from "./fixture.js";
import { lossAndGradient } from "./twin.js";

const BUILDS: [name: string, create: (options: EngineOptions) => Kernel][] = [
  ...nativeKernelLanes().map((lanes): (typeof BUILDS)[number] => [
    `native, ${lanes} lanes`,
    (options) => createNativeKernel(options, lanes),
  ]),
  ["wasm", createWasmKernel],
];
if (nativeKernelProblem()) console.log(`SKIPPED: native kernel tests: ${nativeKernelProblem()}`);

const title = (shape: Shape) => JSON.stringify(shape);

function train(kernel: Kernel, steps: number, lr = 0.05): Float32Array {
  const loss = new Float32Array(steps);
  assert.equal(kernel.steps({ lr: new Float64Array(steps).fill(lr) }, loss), steps);
  return loss;
}

function rowsOf({ batchSize, splits, seed }: EngineOptions, step: number): Uint32Array {
  if (batchSize === "full") return Uint32Array.from({ length: splits.train.count }, (_, i) => i);
  const rows = new Uint32Array(Math.ceil(batchSize / 4) * 4);
  drawBatch(rows, batchSize, splits.train.count, seed, step);
  return rows.subarray(0, batchSize);
}

for (const [name, create] of BUILDS) {
  describe(`kernel: ${name}`, () => {
    it("draws the minibatches of drawBatch, bit for bit", () => {
      const options = optionsOf({ batchSize: 37, count: 1000 });
      const kernel = create(options);
      for (let step = 0; step < 5; step++) {
        train(kernel, 1);
        assert.deepEqual(kernel.readDraw(37), rowsOf(options, step));
      }
      kernel.dispose();
    });

    for (const shape of ODD_SHAPES) {
      it(`has the twin's loss and gradient: ${title(shape)}`, () => {
        const options = optionsOf(shape);
        const kernel = create(options);
        for (let step = 0; step < 2; step++) {
          const twin = lossAndGradient(options, kernel.readParameters(), rowsOf(options, step));
          const loss = train(kernel, 1)[0]!;
          assert.ok(Math.abs(loss - twin.loss) <= 1e-5 * (1 + twin.loss), `loss ${loss}, twin ${twin.loss}`);
          const scale = twin.gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
          for (const [i, g] of kernel.readGradients().entries()) {
            const expected = twin.gradient[i]!;
            if (!(Math.abs(g - expected) <= 1e-5 * scale + 1e-7)) assert.fail(`gradient ${i}: ${g}, twin ${expected}`);
          }
        }
        kernel.dispose();
      });

      it(`does not depend on chunks and resumes from a state: ${title(shape)}`, () => {
        const options = optionsOf(shape);
        const whole = create(options);
        const cut = create(options);
        const losses = train(whole, 12);
        const parts = [...train(cut, 1), ...train(cut, 4)];
        const resumed = create({ ...options, parameters: new Float32Array(options.parameters.length) });
        train(resumed, 2);
        resumed.writeState(cut.readState());
        parts.push(...train(resumed, 7));
        assert.deepEqual(new Float32Array(parts), losses);
        assert.deepEqual(resumed.readState(), whole.readState());
        assert.equal(resumed.step, 12);
        assert.equal(atOnce(resumed.evaluation("validation")), atOnce(whole.evaluation("validation")));
        assert.ok(Number.isNaN(atOnce(whole.evaluation("test"))));
        for (const kernel of [whole, cut, resumed]) kernel.dispose();
      });
    }

    const many: Shape[] = [{}, { embeddingDim: 17, activation: "relu", hiddenSizes: [33, 20] }, { contextLength: 1 }];
    for (const shape of many) {
      it(`evaluates splits of many examples, by a table, as the reference does: ${title(shape)}`, () => {
        const options = optionsOf({ ...shape, count: 900 });
        const kernel = create(options);
        for (let round = 0; round < 2; round++) {
          for (const split of ["validation", "train"] as const) {
            const want = atOnce(createReference({ ...options, parameters: kernel.readParameters() }).evaluation(split));
            const got = atOnce(kernel.evaluation(split));
            assert.ok(Math.abs(got - want) <= 1e-5 * want, `${split}: ${got}, reference ${want}`);
          }
          train(kernel, 3, 0.5);
        }
        kernel.dispose();
      });
    }

    it("runs chunks longer than the arena's buffers", () => {
      const options = optionsOf({ batchSize: 2, hiddenSizes: [3] });
      const whole = create(options);
      const cut = create(options);
      const losses = train(whole, 2500);
      assert.deepEqual(new Float32Array([...train(cut, 1000), ...train(cut, 1500)]), losses);
    });

    it("writes the loss that is not finite, and leaves its update out", () => {
      const kernel = create(optionsOf({}));
      const loss = new Float32Array(6);
      const ran = kernel.steps({ lr: Float64Array.from([0.1, 0.1, 1e38, 1e38, 1e38, 1e38]) }, loss);
      assert.ok(ran > 2 && ran <= 6, `ran ${ran}`);
      assert.equal(kernel.step, ran - 1);
      assert.ok(!Number.isFinite(loss[ran - 1]));
      assert.ok(loss.subarray(0, ran - 1).every(Number.isFinite));
    });

    it("sees a NaN among the parameters", () => {
      const options = optionsOf({});
      for (const at of [0, options.parameters.length - 1, options.parameters.length - 100]) {
        const parameters = options.parameters.slice();
        parameters.fill(Number.NaN, at, at + 1);
        if (at === 0) parameters.fill(Number.NaN, 0, 27 * 5);
        const kernel = create({ ...options, parameters });
        assert.ok(Number.isNaN(atOnce(kernel.evaluation("train"))), `parameter ${at}`);
      }
    });

    it("refuses a state of another size, and everything after dispose", () => {
      const kernel = create(optionsOf({}));
      const state = kernel.readState();
      assert.throws(() => kernel.writeState(state.subarray(1)), RangeError);
      assert.throws(() => kernel.writeState(new Uint8Array(3)), RangeError);
      kernel.dispose();
      kernel.dispose();
      assert.throws(() => kernel.step, /disposed/);
      assert.throws(() => kernel.evaluation("train"), /disposed/);
      assert.throws(() => kernel.readParameters(), /disposed/);
    });

    it("refuses an optimizer whose id it does not know", () => {
      const sgd: { kernelId: number } = OPTIMIZERS.sgd;
      const { kernelId } = sgd;
      try {
        for (sgd.kernelId of [-1, 4_711]) assert.throws(() => create(optionsOf({})), /has no optimizer sgd/);
      } finally {
        sgd.kernelId = kernelId;
      }
    });

    it("cycles a momentum that the optimizer leaves at 0, and keeps it in the state", () => {
      const options = optionsOf({});
      const whole = create(options);
      const resumed = create(options);
      const lr = new Float64Array(8).fill(0.05);
      const momentum = Float64Array.from([0, 0.9, 0.5, 0, 0.9, 0.8, 0.7, 0.6]);
      whole.steps({ lr, momentum }, new Float32Array(8));
      const first = create(options);
      first.steps({ lr: lr.subarray(0, 3), momentum: momentum.subarray(0, 3) }, new Float32Array(3));
      resumed.writeState(first.readState());
      resumed.steps({ lr: lr.subarray(3), momentum: momentum.subarray(3) }, new Float32Array(5));
      assert.deepEqual(resumed.readState(), whole.readState());
    });
  });
}

it("native: every vector width gives the same bytes", { skip: nativeKernelLanes().length < 2 }, () => {
  for (const shape of ODD_SHAPES) {
    const results = nativeKernelLanes().map((lanes) => {
      const kernel = createNativeKernel(optionsOf(shape), lanes);
      return [train(kernel, 20), kernel.readState(), atOnce(kernel.evaluation("validation"))];
    });
    for (const other of results.slice(1)) assert.deepEqual(other, results[0], title(shape));
  }
});

it("native: works in several threads at once", { skip: nativeKernelProblem() ?? false }, async () => {
  const source = `
    import { parentPort } from "node:worker_threads";
    const { createNativeKernel } = await import(${JSON.stringify(new URL("../../../src/engine/kernel/native.js", import.meta.url).href)});
    const { optionsOf } = await import(${JSON.stringify(new URL("./fixture.js", import.meta.url).href)});
    const kernel = createNativeKernel(optionsOf({ hiddenSizes: [64] }));
    kernel.steps({ lr: new Float64Array(500).fill(0.05) }, new Float32Array(500));
    parentPort.postMessage(kernel.readState());
  `;
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const states = await Promise.all(
    [0, 1, 2].map(
      () =>
        new Promise<Uint8Array>((resolve, reject) => new Worker(url).once("message", resolve).once("error", reject)),
    ),
  );
  const kernel = createNativeKernel(optionsOf({ hiddenSizes: [64] }));
  train(kernel, 500);
  for (const state of states) assert.deepEqual(state, kernel.readState());
});
