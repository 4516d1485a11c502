import assert from "node:assert/strict";
import { test } from "node:test";
import { idsFrom } from "../../../src/api/ids.js";
import { createRuns } from "../../../src/api/runs/create-run.js";
import { BUILT_IN_DATASET } from "../../../src/schemas/dataset.js";
import { LIMITS } from "../../../src/schemas/limits.js";
import type { ProblemError } from "../../../src/schemas/problem.js";
import type { RunRequest } from "../../../src/schemas/run.js";
import type { SearchSpec } from "../../../src/schemas/search.js";
import { builtInDataset, builtInStatistics } from "../../../src/store/built-in-dataset.js";
import type { DatasetEntry, SearchRecord } from "../../../src/store/contract.js";
import { MemoryQueue, MemoryRecords, MemoryRuns, NO_WORKERS, ORIGIN, problem } from "../fakes.js";

function scene() {
  const asked: string[] = [];
  const entry = { digest: builtInDataset().digest, statistics: builtInStatistics() } as DatasetEntry;
  const datasets = {
    get: async (name: string) => {
      asked.push(name);
      return name === "mine" ? entry : null;
    },
  };
  const searches = new MemoryRecords<SearchSpec, SearchRecord>();
  const queues = { queue: new MemoryQueue(), searchQueue: new MemoryQueue() };
  return { asked, runs: new MemoryRuns(), searches, ...queues, datasets, fleet: NO_WORKERS };
}

test("ids go on from any, in the order in which they sort", () => {
  const ids = idsFrom("run_0abcdefgh0000000zzzy", 1000);
  assert.deepEqual(ids.slice(0, 3), [
    "run_0abcdefgh0000000zzzy",
    "run_0abcdefgh0000000zzzz",
    "run_0abcdefgh00000010000",
  ]);
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set(ids).size, 1000);
  assert.ok(ids.every((id) => /^run_[0-9a-z]{20}$/.test(id)));
});

test("several runs are stored in their order, each with its job; what they share is looked up once", async () => {
  const deps = scene();
  const requests: RunRequest[] = [1, 2, 3].map((steps) => ({
    steps,
    dataset: steps === 2 ? BUILT_IN_DATASET : "mine",
  }));
  const runs = await createRuns(deps, requests, ORIGIN);
  assert.deepEqual(
    runs.map(({ spec }) => [spec.steps, spec.dataset.name]),
    requests.map(({ steps, dataset }) => [steps, dataset]),
  );
  const ids = runs.map(({ id }) => id);
  assert.deepEqual(ids.toSorted(), ids);
  assert.deepEqual(
    deps.queue.jobs,
    ids.map((id) => [id, 0]),
  );
  assert.deepEqual(deps.asked, ["mine"]);
});

test("whatever is wrong with any of them is named, and nothing is stored", async () => {
  const deps = scene();
  const requests: RunRequest[] = [
    { steps: 10, schedule: "auto" },
    { steps: 10, dataset: "no-such" },
    { steps: 10 },
    { steps: 10, optimizer: { type: "sgd", nesterov: true } as { type: "sgd" } },
  ];
  await assert.rejects(createRuns(deps, requests, ORIGIN), ({ errors }: ProblemError) => {
    assert.deepEqual(
      errors!.map(({ pointer }) => pointer),
      ["/1/dataset", "/3/optimizer/nesterov"],
    );
    return true;
  });
  assert.deepEqual([deps.runs.creations, deps.searches.creations, deps.queue.jobs], [[], [], []]);
});

test('of those with "auto" each waits for its own search, and has no job before', async () => {
  const deps = scene();
  const auto = { steps: 10_000, schedule: { type: "cosine", lr: "auto" } } as RunRequest;
  const runs = await createRuns(deps, [auto, { steps: 10 }, auto], ORIGIN);
  const searches = [...deps.searches.records.values()];
  assert.deepEqual(
    runs.map(({ waitsFor }) => waitsFor),
    [searches[0]!.id, null, searches[1]!.id],
  );
  await deps.searchQueue.firstJob;
  assert.deepEqual(
    deps.searchQueue.jobs.map(([id]) => id),
    searches.map(({ id }) => id),
  );
  assert.deepEqual(deps.queue.jobs, [[runs[1]!.id, 0]]);
});

test("where the store does not answer, whatever it may have stored of them is taken back", async () => {
  const alive = setInterval(() => {}, 1000);
  const deps = scene();
  const away = new Error("Command timed out");
  deps.runs.refusals.push(away);
  await assert.rejects(createRuns(deps, [{ steps: 1 }, { steps: 2 }], ORIGIN), away);
  await deps.runs.firstDeleted;
  await new Promise(setImmediate);
  assert.equal(new Set(deps.runs.deleted).size, 2);
  assert.deepEqual([deps.runs.records.size, deps.queue.jobs], [0, []]);
  clearInterval(alive);
});

test("forks of one array copy no more than one fork may", async () => {
  const deps = scene();
  const model = { hiddenSizes: [1024, 512], embeddingDim: 8 };
  const [parent] = await createRuns(deps, [{ steps: 100, seed: 7, model }], ORIGIN);
  deps.runs.records.set(parent!.id, { ...parent!, committed: 40 });
  deps.runs.loops = [{ step: 40, policy: null, lossSum: 0, divergence: {} as never, diverged: null }];
  const fork = { steps: 200, from: { run: parent!.id, step: 40 } };
  const most = Math.floor(LIMITS.forkParameters / PARAMETERS);
  const runs = await createRuns(deps, Array(most).fill(fork), ORIGIN);
  assert.equal(runs.length, most);
  await assert.rejects(
    createRuns(deps, Array(most + 1).fill(fork), ORIGIN),
    problem("invalid-request", `/${most}/from`),
  );
});

/** 27 symbols by 8, three of them into 1024, 512 and 27 units, with biases. */
const PARAMETERS = 27 * 8 + (24 * 1024 + 1024) + (1024 * 512 + 512) + (512 * 27 + 27);
