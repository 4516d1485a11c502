import assert from "node:assert/strict";
import { test } from "node:test";
import { initialParameters, layerWidths, parameterCount, tensors } from "../../src/core/model.js";
import type { ModelSpec } from "../../src/schemas/model.js";

const MODEL: ModelSpec = {
  contextLength: 3,
  embeddingDim: 10,
  hiddenSizes: [200],
  activation: "tanh",
  init: "scaled",
};

test("tensors lie end to end: embedding, then weight and bias of each layer", () => {
  const all = tensors({ ...MODEL, hiddenSizes: [5, 4] }, 27);
  assert.deepEqual(
    all.map(({ name, shape }) => `${name} ${shape}`),
    [
      "embedding 27,10",
      "layers.0.weight 30,5",
      "layers.0.bias 5",
      "layers.1.weight 5,4",
      "layers.1.bias 4",
      "layers.2.weight 4,27",
      "layers.2.bias 27",
    ],
  );
  let offset = 0;
  for (const tensor of all) {
    assert.equal(tensor.offset, offset);
    assert.equal(tensor.size, tensor.shape[0] * (tensor.shape[1] ?? 1));
    offset += tensor.size;
  }
  assert.equal(parameterCount({ ...MODEL, hiddenSizes: [5, 4] }, 27), offset);
});

test("the default model has 11,897 parameters", () => {
  assert.deepEqual(layerWidths(MODEL, 27), [30, 200, 27]);
  assert.equal(parameterCount(MODEL, 27), 27 * 10 + 30 * 200 + 200 + 200 * 27 + 27);
});

/** Root mean square of each tensor, by name. */
function deviations(model: ModelSpec): Record<string, number> {
  const parameters = initialParameters(model, 27, 11);
  return Object.fromEntries(
    tensors(model, 27).map(({ name, offset, size }) => {
      const values = parameters.subarray(offset, offset + size);
      return [name, Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / size)];
    }),
  );
}

for (const [activation, gain] of [
  ["tanh", 5 / 3],
  ["relu", Math.SQRT2],
] as const) {
  test(`scaled init of ${activation}: Kaiming with its gain, small logits, zero biases`, () => {
    const got = deviations({ ...MODEL, activation });
    const want = { embedding: 1, "layers.0.weight": gain / Math.sqrt(30), "layers.1.weight": 0.1 / Math.sqrt(200) };
    for (const [name, deviation] of Object.entries(want)) {
      assert.ok(Math.abs(got[name]! / deviation - 1) < 0.2, `${name}: ${got[name]}, want about ${deviation}`);
    }
    assert.equal(got["layers.0.bias"], 0);
    assert.equal(got["layers.1.bias"], 0);
  });
}

test("raw init: standard normal everywhere", () => {
  for (const [name, deviation] of Object.entries(deviations({ ...MODEL, init: "raw" }))) {
    assert.ok(Math.abs(deviation - 1) < 0.5, `${name}: ${deviation}`);
  }
});

test("the seed alone decides the initial parameters", () => {
  assert.deepEqual(initialParameters(MODEL, 27, 1), initialParameters(MODEL, 27, 1));
  assert.notDeepEqual(initialParameters(MODEL, 27, 1), initialParameters(MODEL, 27, 2));
});
