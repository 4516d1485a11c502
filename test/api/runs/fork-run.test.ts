import assert from "node:assert/strict";
import { test } from "node:test";
import { createRun } from "../../../src/api/runs/create-run.js";
import type { RunRequest } from "../../../src/schemas/run.js";
import type { SearchSpec } from "../../../src/schemas/search.js";
import type { SearchRecord } from "../../../src/store/contract.js";
import { MemoryQueue, MemoryRecords, MemoryRuns, NO_DATASETS, NO_WORKERS, ORIGIN, problem } from "../fakes.js";

const loop = (step: number, diverged: { step: number; reason: string } | null = null) => ({
  step,
  policy: null,
  lossSum: 0,
  divergence: { ema: { value: 0, weight: 0 }, best: Number.POSITIVE_INFINITY } as never,
  diverged,
});

/** A run of 100 steps with checkpoints at 40 and 80, the latest. */
async function scene() {
  const runs = new MemoryRuns();
  const searches = new MemoryRecords<SearchSpec, SearchRecord>();
  const queues = { queue: new MemoryQueue(), searchQueue: new MemoryQueue() };
  const deps = { runs, ...queues, searches, datasets: NO_DATASETS, fleet: NO_WORKERS };
  const parent = { ...(await createRun(deps, { steps: 100, seed: 7 }, ORIGIN)), committed: 80 };
  runs.records.set(parent.id, parent);
  runs.loops = [loop(40), loop(80)];
  runs.creations.length = deps.queue.jobs.length = 0;
  const fork = (request: RunRequest) => createRun(deps, request, ORIGIN);
  return { deps, runs, parent, fork };
}

test("a fork keeps its run's spec, begins at the checkpoint with the loop's state, and gets a job", async () => {
  const { deps, runs, parent, fork } = await scene();
  const run = await fork({ steps: 200, from: { run: parent.id, step: 40 } });
  assert.deepEqual(run.spec.from, { run: parent.id, step: 40, scheduleFrom: 0 });
  assert.deepEqual([run.spec.seed, run.spec.model], [7, parent.spec.model]);
  const { run: source, step, loop: state } = runs.creations[0]!.fork!;
  assert.deepEqual([source, step, (state as { step: number }).step], [parent.id, 40, 40]);
  assert.deepEqual(deps.queue.jobs, [[run.id, 0]]);
});

test("without a step, the latest checkpoint is looked for again when it has moved on meanwhile", async () => {
  const { runs, parent, fork } = await scene();
  runs.refusals.push("no-checkpoint", "no-checkpoint");
  const run = await fork({ steps: 200, from: { run: parent.id } });
  assert.equal(run.spec.from!.step, 80);
  assert.equal(runs.creations.length, 3);
});

test("a checkpoint that was named and is gone is a conflict at once, and one that moves for ever after some tries", async () => {
  const { deps, runs, parent, fork } = await scene();
  runs.refusals.push(...Array(6).fill("no-checkpoint"));
  await assert.rejects(fork({ steps: 200, from: { run: parent.id, step: 40 } }), problem("conflict"));
  assert.equal(runs.creations.length, 1);
  await assert.rejects(fork({ steps: 200, from: { run: parent.id } }), problem("conflict"));
  assert.deepEqual([runs.creations.length, deps.queue.jobs], [6, []]);
});

test("what cannot be forked is refused by field", async () => {
  const { runs, parent, fork } = await scene();
  const from = { run: parent.id };
  const unknown = { run: "run_00000000000000000000" };
  const refused = async (request: RunRequest, pointer: string) =>
    assert.rejects(fork(request), problem("invalid-request", pointer));
  await refused({ steps: 200, from: unknown }, "/from/run");
  await refused({ steps: 200, from: { ...from, step: 41 } }, "/from/step");
  await refused({ steps: 80, from }, "/steps");
  await refused({ steps: 200, from, model: {} }, "/model");
  await refused({ steps: 200, from, schedule: { type: "cosine", lr: "auto" } }, "/schedule/lr");
  runs.loops = [loop(80, { step: 79, reason: "not finite" })];
  await refused({ steps: 200, from }, "/from");
  assert.equal(runs.creations.length, 0);
});

test("the refusal of a step names the checkpoints that there are", async () => {
  const { parent, fork } = await scene();
  await assert.rejects(fork({ steps: 200, from: { run: parent.id, step: 41 } }), /: 40, 80/);
});
