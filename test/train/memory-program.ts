import { datasetStatistics, parseDataset } from "../../src/core/dataset.js";
import type { EngineOptions } from "../../src/core/engine.js";
import { memoryBytes } from "../../src/core/memory.js";
import { initialParameters } from "../../src/core/model.js";
import { ReplicaSet } from "../../src/core/replicas.js";
import { resolveRun } from "../../src/core/resolve.js";
import { createEngine, createEngines } from "../../src/engine/create.js";
import { digestOf } from "../../src/store/built-in-dataset.js";
import { prepareExamples } from "../../src/train/examples.js";

/** Of memory.all.test.ts: prints the most that training takes of this process, beside what it had before. */
const text = Buffer.from("abcdefghijklmnopqrs\n".repeat((4 << 20) / 20));
const digest = digestOf(text);
const parsed = parseDataset(text.toString());
const { train, validation, test } = datasetStatistics(parsed).splits;
const examples = train.examples + validation.examples + test.examples;
const facts = { name: "words", digest, vocabSize: parsed.symbols.length, trainExamples: train.examples, examples };
const model = { contextLength: 16, embeddingDim: 1, hiddenSizes: [1] };
const resolved = resolveRun({ steps: 10, replicas: 64, model, seed: 1 }, facts, 0);
if (!resolved.ok) throw new Error(JSON.stringify(resolved.errors));
const spec = resolved.value;
const before = process.memoryUsage().rss;
const prepared = await prepareExamples(async () => text, spec);
const replicas = Array.from({ length: spec.replicas }, (_, seed): EngineOptions => {
  const parameters = initialParameters(spec.model, prepared.vocabSize, seed);
  const { model, batchSize, optimizer } = spec;
  return { ...prepared, model, batchSize, optimizer, seed, parameters };
});
const engines =
  process.argv[2] === "together"
    ? await createEngines("auto", replicas)
    : await Promise.all(replicas.map((options) => createEngine("auto", options)));
const set = new ReplicaSet(engines);
const losses = new Float32Array(spec.steps);
set.steps({ lr: new Float64Array(spec.steps).fill(0.1) }, losses);
const validated = [...set.evaluations("validation")].length;
const bytes = process.resourceUsage().maxRSS * 1024 - before;
console.log(JSON.stringify({ bytes, expected: memoryBytes(spec, facts), losses: `${losses} ${validated}` }));
