import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveRun } from "../../src/core/resolve.js";
import type { RunRequest } from "../../src/schemas/run.js";

const NAMES = { name: "names", digest: "0", vocabSize: 27, trainExamples: 180_000, examples: 225_000 };

function refused(request: RunRequest): string[] {
  const resolved = resolveRun(request, NAMES, 0);
  return resolved.ok ? [] : resolved.errors.map(({ pointer }) => pointer);
}

test("evaluations count towards a run's cost beside its steps", () => {
  const model = { hiddenSizes: [1024] };
  const steps = 10_000_000;
  // Steps for 1.4e16 multiply-adds, evaluations for 1.3e16: either fits in 2e16.
  assert.deepEqual(refused({ steps, model, batchSize: 8192 }), []);
  assert.deepEqual(refused({ steps, model, evalEvery: 1 }), []);
  assert.deepEqual(refused({ steps, model, batchSize: 8192, evalEvery: 1 }), ["/evalEvery"]);
  assert.deepEqual(refused({ steps, model, batchSize: 8192, evalEvery: 10 }), []);
  assert.deepEqual(refused({ steps, model, batchSize: 16_384 }), ["/steps"]);
});
