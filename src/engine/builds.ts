import type { EngineOptions } from "../core/engine.js";
import { createEngine, engineProblems } from "./create.js";

const NOTHING = { count: 1, contexts: new Uint8Array(1), targets: new Uint8Array(1) };
const SMALLEST: EngineOptions = {
  model: { contextLength: 1, embeddingDim: 1, hiddenSizes: [1], activation: "tanh", init: "scaled" },
  vocabSize: 2,
  batchSize: 1,
  optimizer: { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 },
  seed: 0,
  splits: { train: NOTHING, validation: NOTHING, test: NOTHING },
  // Embedding 2 x 1, hidden 1 x 1 + 1, logits 1 x 2 + 2.
  parameters: new Float32Array(8),
};

/** The builds of all engines that can run here, fastest first. TensorFlow.js is named only: to load it costs memory. */
export async function engineBuilds(): Promise<string[]> {
  const builds: string[] = [];
  for (const [name, problem] of await engineProblems()) {
    if (problem !== null) continue;
    if (name.startsWith("tfjs")) builds.push(name);
    else {
      const engine = await createEngine(name, SMALLEST);
      builds.push(engine.build);
      engine.dispose();
    }
  }
  return builds;
}
