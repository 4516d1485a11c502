import assert from "node:assert/strict";
import { it } from "node:test";
import { createNativeKernel, nativeKernelProblem } from "../../../src/engine/kernel/native.js";
import { createWasmKernel } from "../../../src/engine/kernel/wasm.js";
import { applyUpdate } from "../../../src/engine/reference-optimizers.js";
import { OPTIMIZERS, ownMomentum } from "../../../src/schemas/optimizers.js";
import { optionsOf, RULES } from "./fixture.js";

const builds = { wasm: createWasmKernel, ...(nativeKernelProblem() ? {} : { native: createNativeKernel }) };
for (const [name, create] of Object.entries(builds)) {
  for (const optimizer of RULES) {
    it(`${name} applies the reference's update, given its own gradients: ${JSON.stringify(optimizer)}`, () => {
      const options = optionsOf({ optimizer, batchSize: 64 });
      const kernel = create(options);
      const zeros = () => new Float64Array(options.parameters.length);
      const slots = Array.from({ length: OPTIMIZERS[optimizer.type].slots }, zeros);
      const momentum = ownMomentum(optimizer);
      let before = kernel.readParameters();
      for (let step = 0; step < 8; step++) {
        const lr = 0.01 / (step + 1);
        kernel.steps({ lr: Float64Array.of(lr) }, new Float32Array(1));
        const after = kernel.readParameters();
        const gradient = Float64Array.from(kernel.readGradients());
        const parameters = Float64Array.from(before);
        applyUpdate(optimizer, { parameters, gradient, slots, step, lr, momentum, started: step > 0 });
        for (const [i, p] of before.entries()) {
          assert.ok(
            Math.abs(after[i]! - parameters[i]!) <= 2e-6 * (1 + Math.abs(p)),
            `step ${step}, ${i}: ${after[i]}, ${parameters[i]}`,
          );
        }
        before = after;
      }
      kernel.dispose();
    });
  }
}
