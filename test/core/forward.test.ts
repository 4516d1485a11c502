import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDataset, splitExamples, splitWords } from "../../src/core/dataset.js";
import { atOnce } from "../../src/core/evaluation.js";
import { meanLoss } from "../../src/core/forward.js";
import { initialParameters } from "../../src/core/model.js";
import { createReference } from "../../src/engine/reference.js";
import type { OptimizerSpec } from "../../src/schemas/optimizers.js";

const WORDS = Array.from({ length: 60 }, (_, i) => ["anna", "bob", "carla", "dora", "émile"][i % 5]! + "ab"[i % 2]);
const MODEL = { contextLength: 3, embeddingDim: 4, hiddenSizes: [7, 5], activation: "relu", init: "raw" } as const;

test("the loss over a split is the reference engine's, and what the symbols' number says of a model that knows nothing", () => {
  const dataset = parseDataset(WORDS.join("\n"));
  const { symbols } = dataset;
  const splits = splitExamples(dataset, MODEL.contextLength);
  const optimizer = { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 } as OptimizerSpec;
  for (const activation of ["tanh", "relu"] as const) {
    const model = { ...MODEL, hiddenSizes: [...MODEL.hiddenSizes], activation };
    const parameters = initialParameters(model, symbols.length, 3);
    const engine = createReference({
      model,
      vocabSize: symbols.length,
      batchSize: 4,
      optimizer,
      seed: 1,
      splits,
      parameters,
    });
    for (const split of ["train", "validation", "test"] as const) {
      const loss = atOnce(meanLoss({ model, symbols, parameters }, splits[split]));
      assert.ok(Math.abs(loss - atOnce(engine.evaluation(split))) < 1e-9, `${activation} ${split}`);
    }
    engine.dispose();
    const nothing = atOnce(meanLoss({ model, symbols, parameters: new Float32Array(parameters.length) }, splits.test));
    assert.ok(Math.abs(nothing - Math.log(symbols.length)) < 1e-12);
  }
});

test("the splits hold every word once, in eight, one and one tenths, and their examples are in their order", () => {
  const { train, validation, test: rest } = splitWords(WORDS);
  assert.deepEqual([train.length, validation.length, rest.length], [48, 6, 6]);
  assert.deepEqual([...train, ...validation, ...rest].sort(), [...WORDS].sort());
  const dataset = parseDataset(WORDS.join("\n"));
  const { targets } = splitExamples(dataset, 3).train;
  const spelled = Array.from(targets, (symbol) => dataset.symbols[symbol]).join("");
  assert.equal(spelled, train.map((word) => `${word}.`).join(""));
  // datasetLimit keeps the first examples of that.
  const limited = splitExamples(dataset, 3, 10).train;
  assert.deepEqual(limited.targets, targets.slice(0, 10));
});
