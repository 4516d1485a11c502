import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveRun } from "../../src/core/resolve.js";
import { resolveFork } from "../../src/core/resolve-fork.js";
import type { RunRequest, RunSpec } from "../../src/schemas/run.js";

const NAMES = { name: "names", digest: "0", vocabSize: 27, trainExamples: 180_000, examples: 225_000 };

function parentOf(request: RunRequest): RunSpec {
  const resolved = resolveRun(request, NAMES, 42);
  assert.ok(resolved.ok);
  return resolved.value;
}

const PARENT = parentOf({
  steps: 1000,
  batchSize: 16,
  schedule: { type: "step", lr: 0.2, milestones: [700] },
  evalEvery: 50,
  checkpointEvery: 100,
  stopOnDivergence: { factor: 3 },
  optimizer: "adam",
  datasetLimit: 5000,
  name: "parent",
  labels: ["a"],
});

const fork = (request: RunRequest, step = 400, parent = PARENT) =>
  resolveFork(request, { run: "run_parent", step, spec: parent }, NAMES);

function specOf(request: RunRequest, step?: number, parent?: RunSpec): RunSpec {
  const resolved = fork(request, step, parent);
  assert.ok(resolved.ok, JSON.stringify(resolved));
  return resolved.value;
}

function refused(request: RunRequest, step?: number, parent?: RunSpec): string[] {
  const resolved = fork(request, step, parent);
  return resolved.ok ? [] : resolved.errors.map(({ pointer }) => pointer);
}

test("one that changes nothing is the other run, but for its name, labels and kept checkpoints", () => {
  assert.deepEqual(specOf({ steps: 1000 }), {
    ...PARENT,
    from: { run: "run_parent", step: 400, scheduleFrom: 0 },
    checkpointEvery: 0,
    name: null,
    labels: [],
  });
});

test("what it may change, it changes", () => {
  const spec = specOf({
    steps: 2000,
    batchSize: 64,
    seed: 7,
    evalEvery: 0,
    checkpointEvery: 500,
    stopOnDivergence: false,
    name: "mine",
    labels: ["b"],
  });
  assert.deepEqual(
    [spec.steps, spec.batchSize, spec.seed, spec.evalEvery, spec.checkpointEvery, spec.stopOnDivergence, spec.name],
    [2000, 64, 7, 0, 500, null, "mine"],
  );
  assert.deepEqual(spec.labels, ["b"]);
  assert.deepEqual(specOf({ steps: 1000, stopOnDivergence: true }).stopOnDivergence, { factor: 4, smoothing: 0.98 });
});

test("a schedule of its own begins at the fork and spans the steps that are left", () => {
  const spec = specOf({ steps: 1000, schedule: "linear", lrRange: [0.01, 0.5] });
  assert.equal(spec.from!.scheduleFrom, 400);
  assert.deepEqual(spec.schedule, { type: "linear", start: 0.5, end: 0.01, steps: 600 });
});

test("the fork of a fork counts its schedule from where that one's began", () => {
  const first = specOf({ steps: 1000, schedule: "linear" });
  assert.deepEqual(specOf({ steps: 1000 }, 600, first).from, { run: "run_parent", step: 600, scheduleFrom: 400 });
  assert.equal(specOf({ steps: 1000, schedule: "linear" }, 600, first).from!.scheduleFrom, 600);
});

test("what the checkpoint's bytes depend on may not be given, not even as it was", () => {
  const given: RunRequest = {
    steps: 1000,
    model: {},
    dataset: "names",
    datasetLimit: 5000,
    optimizer: "adam",
    replicas: 1,
    engine: "auto",
  };
  assert.deepEqual(refused(given), ["/model", "/dataset", "/datasetLimit", "/optimizer", "/replicas", "/engine"]);
});

test("it must have a step left, and a range needs a schedule", () => {
  assert.deepEqual(refused({ steps: 401 }), []);
  assert.deepEqual(refused({ steps: 400 }), ["/steps"]);
  assert.deepEqual(refused({ steps: 100 }), ["/steps"]);
  assert.deepEqual(refused({ steps: 1000, lrRange: [0.1, 0.2] }), ["/lrRange"]);
  assert.deepEqual(refused({ steps: 1000, schedule: "linear", lrRange: [0.2, 0.1] }), ["/lrRange"]);
});

test("what is wrong is said of all fields at once", () => {
  assert.deepEqual(refused({ steps: 400, lrRange: [0.1, 0.2], engine: "auto" }), ["/engine", "/steps", "/lrRange"]);
});

test("a state too large to be copied in Redis is refused, over all replicas", () => {
  // 27 x 10 + 30 x 1024 + 1024 + 1024 x 1024 + 1024 + 1024 x 27 + 27 = 1,109,312 parameters; 2,000,000 are allowed.
  const large = parentOf({ steps: 1000, model: { hiddenSizes: [1024, 1024] } });
  assert.deepEqual(refused({ steps: 1000 }, 400, large), []);
  assert.deepEqual(refused({ steps: 1000 }, 400, { ...large, replicas: 2 }), ["/from/run"]);
});

test("only the steps that are left cost", () => {
  // 8,192 examples of 58,368 multiply-adds, three times: 1.43e9 a step, so some 13.9 million steps in all are allowed.
  const costly = parentOf({ steps: 10_000_000, batchSize: 8192, model: { hiddenSizes: [1024] } });
  assert.deepEqual(refused({ steps: 10_000_000, batchSize: 16_384 }, 1, costly), ["/steps"]);
  assert.deepEqual(refused({ steps: 10_000_000, batchSize: 16_384 }, 5_000_000, costly), []);
});
