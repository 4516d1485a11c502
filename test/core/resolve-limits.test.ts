import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryBytes } from "../../src/core/memory.js";
import { forwardCost, parameterCount } from "../../src/core/model.js";
import { checkCost, checkMemory, type DatasetFacts, resolveRun } from "../../src/core/resolve.js";
import { LIMITS } from "../../src/schemas/limits.js";
import type { ModelSpec } from "../../src/schemas/model.js";
import type { RunRequest, RunSpec } from "../../src/schemas/run.js";

const FACTS: DatasetFacts = { name: "names", digest: "0", vocabSize: 27, trainExamples: 8000, examples: 10_000 };

function errorsOf(request: RunRequest, facts = FACTS): string[] {
  const resolved = resolveRun(request, facts, 0);
  return resolved.ok ? [] : resolved.errors.map(({ pointer, expected }) => `${pointer}: ${expected}`);
}

test("parameters and cost of the default model, counted by hand", () => {
  const resolved = resolveRun({ steps: 1 }, FACTS, 0);
  assert.ok(resolved.ok);
  const { model } = resolved.value;
  // Embedding 27 x 10; 30 x 200 and 200; 200 x 27 and 27.
  assert.equal(parameterCount(model, 27), 270 + 6000 + 200 + 5400 + 27);
  assert.equal(forwardCost(model, 27), 6000 + 5400);
});

describe("limits are exact: what just fits is taken, one more is not", () => {
  /** 1 x 1 embedding dim, no hidden layer, vocabulary 10: 10 + 10 + 10 parameters, 10 multiply-adds of an example. */
  const model: ModelSpec = { contextLength: 1, embeddingDim: 1, hiddenSizes: [], activation: "tanh", init: "scaled" };
  const facts: DatasetFacts = { ...FACTS, vocabSize: 10, trainExamples: 8000, examples: 10_000 };
  const base = {
    model,
    optimizer: { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 } as RunSpec["optimizer"],
    engine: "auto" as const,
    replicas: 1,
    batchSize: 1 as number | "full",
    from: 0,
    limit: null as number | null,
    steps: 1,
    checkpointEvery: 0,
    evalEvery: 0,
  };
  const pointers = (change: Partial<typeof base>, of: DatasetFacts = facts) =>
    checkCost({ ...base, ...change }, of).map(({ pointer }) => pointer);

  test("parameters, of one or of all replicas", () => {
    const large = { ...model, embeddingDim: 250, hiddenSizes: [1200] };
    const most = Math.floor(LIMITS.parameters / parameterCount(large, 10));
    assert.equal(most, 63);
    assert.deepEqual(pointers({ model: large, replicas: most }), []);
    assert.deepEqual(pointers({ model: large, replicas: most + 1 }), ["/replicas"]);
    const wide = { ...FACTS, vocabSize: 256 };
    const layers = [4096, 4096];
    assert.deepEqual(errorsOf({ steps: 1, model: { hiddenSizes: layers } }, wide), []);
    assert.match(errorsOf({ steps: 1, model: { hiddenSizes: [...layers, 4096] } }, wide)[0]!, /^\/model: at most/);
  });

  test("memory: replicas have the examples in common, and buffers of their own", () => {
    const many = { ...facts, examples: 4_000_000 };
    const bytes = (replicas: number) => memoryBytes({ ...base, replicas, dataset: { ...FACTS, limit: null } }, many);
    assert.ok(bytes(64) < 1.5 * bytes(1), "64 replicas of a small model take hardly more than one");
    const most = Math.floor((LIMITS.runMemoryBytes - bytes(0)) / (bytes(1) - bytes(0)));
    assert.deepEqual(checkMemory({ ...base, replicas: most }, many), []);
    const [error] = checkMemory({ ...base, replicas: most + 1 }, many);
    assert.equal(error?.pointer, "/replicas");
    assert.match(error.expected, /^fewer: at most 2147483648 bytes of a worker's memory, not \d+$/);
    const [alone] = checkMemory(base, { ...many, examples: 120_000_000 });
    assert.equal(alone?.pointer, "/model");
  });

  test("kept checkpoints: those of the steps that are trained", () => {
    const most = Math.floor(LIMITS.keptParameters / 30);
    assert.deepEqual(pointers({ steps: most, checkpointEvery: 1 }), []);
    assert.deepEqual(pointers({ steps: most + 1, checkpointEvery: 1 }), ["/checkpointEvery"]);
    assert.deepEqual(pointers({ steps: most + 1, from: 1, checkpointEvery: 1 }), []);
    assert.deepEqual(pointers({ steps: most + 1, checkpointEvery: 2 }), []);
    // What is proposed instead is taken.
    const [error] = checkCost({ ...base, steps: 10_000_000, checkpointEvery: 3 }, facts);
    const least = Number(error!.expected.match(/at least (\d+)/)![1]);
    assert.deepEqual(pointers({ steps: 10_000_000, checkpointEvery: least }), []);
  });

  test("a step: batch size times replicas, or the whole train split, or what a limit leaves of it", () => {
    const most = LIMITS.multiplyAddsPerStep / 30;
    const many = { ...facts, trainExamples: Math.floor(most) };
    assert.deepEqual(pointers({ batchSize: "full" }, many), []);
    const more = { ...facts, trainExamples: Math.floor(most) + 1 };
    assert.deepEqual(pointers({ batchSize: "full" }, more), ["/batchSize"]);
    assert.deepEqual(pointers({ batchSize: "full", limit: 100 }, more), []);
    assert.deepEqual(pointers({ batchSize: "full", replicas: 2 }, many), ["/batchSize"]);
  });

  test("a run: its steps, and the evaluation at its end", () => {
    const most = Math.floor((LIMITS.multiplyAddsPerRun - 10 * 9000) / 30);
    assert.deepEqual(pointers({ steps: most }), []);
    assert.deepEqual(pointers({ steps: most + 1 }), ["/steps"]);
  });

  test("a run: its steps, and beside them the evaluations", () => {
    const batchSize = 60_000_000;
    const perStep = 30 * batchSize;
    // The last evaluation is of 8000 training examples and a tenth of all: 1000.
    const most = Math.floor((LIMITS.multiplyAddsPerRun - 10 * 9000) / perStep);
    assert.deepEqual(pointers({ batchSize, steps: most }), []);
    assert.deepEqual(pointers({ batchSize, steps: most + 1 }), ["/steps"]);
    assert.deepEqual(pointers({ batchSize, steps: most + 1, from: 1 }), []);
    assert.match(
      checkCost({ ...base, batchSize, steps: most + 1 }, facts)[0]!.expected,
      new RegExp(`at most ${most} `),
    );
    const left = Math.floor((LIMITS.multiplyAddsPerRun - 10 * 9000 - perStep * most) / (10 * 1000));
    assert.ok(left > 100 && left < most, `${left} evaluations are left`);
    assert.deepEqual(pointers({ batchSize, steps: most, evalEvery: Math.ceil(most / left) + 1 }), []);
    assert.deepEqual(pointers({ batchSize, steps: most, evalEvery: Math.floor(most / left) - 1 }), ["/evalEvery"]);
  });
});

test("relations between fields that a JSON schema cannot say, all at once", () => {
  const nesterov = { type: "sgd", nesterov: true } as const;
  const momentum = { ...nesterov, momentum: 0.9 };
  assert.match(errorsOf({ steps: 1, optimizer: nesterov })[0]!, /^\/optimizer\/nesterov/);
  assert.deepEqual(errorsOf({ steps: 1, optimizer: momentum }), []);
  const both = errorsOf({ steps: 1, optimizer: nesterov, lrRange: [1, 0.1] });
  assert.deepEqual(
    both.map((error) => error.split(":")[0]),
    ["/optimizer/nesterov", "/lrRange"],
  );
});

test("every default is spelled out", () => {
  const resolved = resolveRun({ steps: 10 }, FACTS, 99);
  assert.ok(resolved.ok);
  assert.deepEqual(resolved.value, {
    steps: 10,
    batchSize: 32,
    schedule: { type: "constant", lr: 0.1 },
    dataset: { name: "names", digest: "0", limit: null },
    model: { contextLength: 3, embeddingDim: 10, hiddenSizes: [200], activation: "tanh", init: "scaled" },
    optimizer: { type: "sgd", momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
    seed: 99,
    replicas: 1,
    engine: "auto",
    evalEvery: 0,
    checkpointEvery: 0,
    from: null,
    stopOnDivergence: null,
    name: null,
    labels: [],
  });
  const seeded = resolveRun({ steps: 10, seed: 0 }, FACTS, 99);
  assert.ok(seeded.ok && seeded.value.seed === 0);
});
