import assert from "node:assert/strict";
import { it } from "node:test";
import { createNativeKernel, nativeKernelProblem } from "../../../src/engine/kernel/native.js";
import { createWasmKernel } from "../../../src/engine/kernel/wasm.js";
import type { OptimizerSpec } from "../../../src/schemas/model.js";
import { OPTIMIZERS, optionsOf } from "./fixture.js";

/** One parameter under torch.optim's documented rules, in float64: update(parameter, gradient, lr, step from 1). */
function rule(o: OptimizerSpec): (p: number, g: number, lr: number, t: number) => number {
  let [m, v, a] = [0, 0, 0];
  if (o.type === "sgd") {
    return (p, g, lr, t) => {
      const d = g + o.weightDecay * p;
      m = t === 1 ? d : o.momentum * m + (1 - o.dampening) * d;
      return p - lr * (o.momentum === 0 ? d : o.nesterov ? d + o.momentum * m : m);
    };
  }
  if (o.type === "rmsprop") {
    return (p, g, lr) => {
      const d = g + o.weightDecay * p;
      v = o.alpha * v + (1 - o.alpha) * d * d;
      a = o.alpha * a + (1 - o.alpha) * d;
      const change = d / (Math.sqrt(o.centered ? v - a * a : v) + o.eps);
      m = o.momentum * m + change;
      return p - lr * m;
    };
  }
  return (p, g, lr, t) => {
    const d = o.type === "adam" ? g + o.weightDecay * p : g;
    const kept = o.type === "adamw" ? p * (1 - lr * o.weightDecay) : p;
    m = o.beta1 * m + (1 - o.beta1) * d;
    v = o.beta2 * v + (1 - o.beta2) * d * d;
    const denominator = Math.sqrt(v) / Math.sqrt(1 - o.beta2 ** t) + o.eps;
    return kept - (lr / (1 - o.beta1 ** t)) * (m / denominator);
  };
}

const builds = { wasm: createWasmKernel, ...(nativeKernelProblem() ? {} : { native: createNativeKernel }) };
for (const [name, create] of Object.entries(builds)) {
  for (const optimizer of OPTIMIZERS) {
    it(`${name} applies the documented update, given its own gradients: ${JSON.stringify(optimizer)}`, () => {
      const options = optionsOf({ optimizer, batchSize: 64 });
      const kernel = create(options);
      const rules = Array.from(options.parameters, () => rule(optimizer));
      let before = kernel.readParameters();
      for (let t = 1; t <= 8; t++) {
        const lr = 0.01 / t;
        kernel.steps({ lr: Float64Array.of(lr) }, new Float32Array(1));
        const after = kernel.readParameters();
        const gradients = kernel.readGradients();
        for (const [i, p] of before.entries()) {
          const expected = rules[i]!(p, gradients[i]!, lr, t);
          assert.ok(
            Math.abs(after[i]! - expected) <= 2e-6 * (1 + Math.abs(p)),
            `step ${t}, ${i}: ${after[i]}, ${expected}`,
          );
        }
        before = after;
      }
      kernel.dispose();
    });
  }
}
