import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineOptions } from "../../../src/core/engine.js";
import { atOnce } from "../../../src/core/evaluation.js";
import { memoryBytes } from "../../../src/core/memory.js";
import { initialParameters } from "../../../src/core/model.js";
import { layoutOf } from "../../../src/engine/kernel/layout.js";
import { createNativeKernels, nativeKernelProblem } from "../../../src/engine/kernel/native.js";
import { createWasmKernels } from "../../../src/engine/kernel/wasm.js";
import { ODD_SHAPES, optionsOf } from "./fixture.js";

const builds = { wasm: createWasmKernels, ...(nativeKernelProblem() ? {} : { native: createNativeKernels }) };

const replicasOf = (options: EngineOptions) =>
  [3, 4, 5].map((seed) => ({
    ...options,
    seed,
    parameters: initialParameters(options.model, options.vocabSize, seed),
  }));

for (const [name, create] of Object.entries(builds)) {
  test(`${name}: replicas that share the examples train and evaluate as each would alone`, () => {
    for (const shape of ODD_SHAPES) {
      const replicas = replicasOf(optionsOf(shape));
      const shared = create(replicas);
      const lr = new Float64Array(5).fill(0.05);
      // In turns, so that what one does to another's memory is seen.
      const losses = shared.map(() => new Float32Array(5));
      for (let step = 0; step < 5; step++) {
        for (const [k, engine] of shared.entries()) {
          engine.steps({ lr: lr.subarray(step, step + 1) }, losses[k]!.subarray(step));
        }
      }
      for (const [k, options] of replicas.entries()) {
        const [alone] = create([options]) as [(typeof shared)[number]];
        const loss = new Float32Array(5);
        alone.steps({ lr }, loss);
        assert.deepEqual(losses[k], loss, JSON.stringify(shape));
        assert.deepEqual(shared[k]!.readState(), alone.readState());
        assert.equal(atOnce(shared[k]!.evaluation("validation")), atOnce(alone.evaluation("validation")));
      }
    }
  });
}

test("an arena takes no more than the estimate says, and a replica's lacks the examples", () => {
  for (const shape of [...ODD_SHAPES, { hiddenSizes: [900, 700], embeddingDim: 100, contextLength: 8 }]) {
    const options = optionsOf(shape);
    const { train, validation, test } = options.splits;
    const facts = {
      vocabSize: options.vocabSize,
      trainExamples: train.count,
      examples: train.count + validation.count + test.count,
    };
    const spec = { ...options, engine: "auto" as const, dataset: { name: "", digest: "", limit: null } };
    const of = (replicas: number) => memoryBytes({ ...spec, replicas }, facts);
    const layout = layoutOf(options);
    assert.ok(layout.bytes <= of(1), `${JSON.stringify(shape)}: ${layout.bytes} of ${of(1)}`);
    const replica = layoutOf(options, 0, { ints: layout.ints, distance: layout.bytes / 4 });
    assert.ok(replica.bytes <= of(2) - of(1), `${JSON.stringify(shape)}: ${replica.bytes} of ${of(2) - of(1)}`);
    assert.ok(layout.bytes - replica.bytes >= train.count);
  }
});
