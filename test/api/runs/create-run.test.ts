import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createRun } from "../../../src/api/runs/create-run.js";
import type { RunRequest } from "../../../src/schemas/run.js";
import type { SearchSpec } from "../../../src/schemas/search.js";
import type { CreateOptions, SearchRecord, Uncreated } from "../../../src/store/contract.js";
import { MemoryQueue, MemoryRecords, MemoryRuns, NO_DATASETS, NO_WORKERS, ORIGIN, problem } from "../fakes.js";

// What is done later waits on timers that keep no process alive.
let alive: NodeJS.Timeout;
before(() => {
  alive = setInterval(() => {}, 1000);
});
after(() => clearInterval(alive));

function scene(queue = new MemoryQueue()) {
  const runs = new MemoryRuns();
  const searches = new MemoryRecords<SearchSpec, SearchRecord>();
  return { runs, queue, searches, searchQueue: new MemoryQueue(), datasets: NO_DATASETS, fleet: NO_WORKERS };
}

test("a run is stored with every default spelled out, under the request's trace, and gets one job", async () => {
  const deps = scene();
  const run = await createRun(deps, { steps: 10 }, ORIGIN);
  assert.match(run.id, /^run_[0-9a-z]{20}$/);
  assert.equal(deps.runs.records.get(run.id), run);
  assert.deepEqual([run.spec.steps, run.spec.batchSize, run.spec.dataset.name], [10, 32, "names"]);
  assert.ok(Number.isInteger(run.spec.seed));
  const [{ cost, ...creation }] = deps.runs.creations as [CreateOptions];
  assert.deepEqual(creation, { traceId: ORIGIN.id, advice: { warnings: [], guessLoss: Math.log(27) } });
  assert.equal(cost?.steps, 10);
  assert.deepEqual(deps.queue.jobs, [[run.id, 0]]);
  assert.equal(deps.searches.records.size, 0);
});

test("what cannot be trained is refused by field, and nothing is stored", async () => {
  const deps = scene();
  const nesterov = { type: "sgd", nesterov: true } as { type: "sgd" };
  for (const [request, pointer] of [
    [{ steps: 10, dataset: "no-such" }, "/dataset"],
    [{ steps: 10, optimizer: nesterov }, "/optimizer/nesterov"],
  ] as [RunRequest, string][]) {
    await assert.rejects(createRun(deps, request, ORIGIN), problem("invalid-request", pointer));
  }
  assert.deepEqual([deps.runs.creations, deps.queue.jobs], [[], []]);
});

test("each way in which the store refuses has its problem, and makes no job", async () => {
  for (const [refusal, code] of [
    ["late", "unavailable"],
    ["full", "too-many-requests"],
    ["no-dataset", "conflict"],
    ["no-checkpoint", "conflict"],
  ] as const satisfies [Uncreated, string][]) {
    const deps = scene();
    deps.runs.refusals.push(refusal);
    await assert.rejects(createRun(deps, { steps: 10 }, ORIGIN), problem(code));
    assert.deepEqual(deps.queue.jobs, []);
  }
});

test("where the store does not answer, the client hears of it, and what may have been stored is taken back", async () => {
  const deps = scene();
  const away = new Error("Command timed out");
  deps.runs.refusals.push(away);
  await assert.rejects(createRun(deps, { steps: 10 }, ORIGIN), away);
  const id = await deps.runs.firstDeleted;
  assert.deepEqual([deps.runs.canceled, deps.queue.jobs], [[id], []]);
});

test("a job that the queue did not take is made as soon as it does", async () => {
  const deps = scene(new MemoryQueue(2));
  const run = await createRun(deps, { steps: 10 }, ORIGIN);
  assert.deepEqual(deps.queue.jobs, []);
  await deps.queue.firstJob;
  assert.deepEqual(deps.queue.jobs, [[run.id, 0]]);
});

test('"lr": "auto" makes a search with a job, and a run without one that waits for it', async () => {
  const deps = scene();
  const run = await createRun(deps, { steps: 10_000, schedule: { type: "cosine", lr: "auto" } }, ORIGIN);
  const [search] = [...deps.searches.records.values()];
  assert.equal(run.waitsFor, search!.id);
  assert.equal(search!.spec.settles!.runId, run.id);
  await deps.searchQueue.firstJob;
  assert.deepEqual([deps.searchQueue.jobs, deps.queue.jobs], [[[search!.id, 0]], []]);
});

test("without its search, a run that would wait for one is not stored", async () => {
  const deps = scene();
  deps.searches.refusals.push("full");
  const request: RunRequest = { steps: 10_000, schedule: { type: "cosine", lr: "auto" } };
  await assert.rejects(createRun(deps, request, ORIGIN), problem("too-many-requests"));
  assert.deepEqual([deps.runs.creations, deps.searchQueue.jobs], [[], []]);
});
