import assert from "node:assert/strict";
import { test } from "node:test";
import { createSearch } from "../../../src/api/searches/create-search.js";
import type { SearchSpec } from "../../../src/schemas/search.js";
import type { SearchRecord } from "../../../src/store/contract.js";
import { MemoryQueue, MemoryRecords, NO_DATASETS, ORIGIN, problem } from "../fakes.js";

const scene = () => ({
  searches: new MemoryRecords<SearchSpec, SearchRecord>(),
  searchQueue: new MemoryQueue(),
  datasets: NO_DATASETS,
  fleet: { speed: async () => 4 },
});

test("a search is stored with every default spelled out, and gets one job", async () => {
  const deps = scene();
  const search = await createSearch(deps, { steps: 200 }, ORIGIN);
  assert.match(search.id, /^search_[0-9a-z]{20}$/);
  assert.deepEqual([search.spec.run.steps, search.spec.run.dataset.name, search.spec.settles], [200, "names", null]);
  assert.deepEqual(deps.searchQueue.jobs, [[search.id, 0]]);
});

test("a search of an unknown dataset is refused by field, and nothing is stored", async () => {
  const deps = scene();
  const refused = createSearch(deps, { steps: 200, dataset: "no-such" }, ORIGIN);
  await assert.rejects(refused, problem("invalid-request", "/dataset"));
  assert.deepEqual([deps.searches.creations, deps.searchQueue.jobs], [[], []]);
});

test("seconds of a budget are turned into steps by the speed that was measured, evaluations included", async () => {
  const deps = scene();
  const budgetFor = async (steps: number, speed: number | null) => {
    const fleet = { speed: async () => speed };
    const { spec } = await createSearch({ ...deps, fleet }, { steps, budget: { seconds: 8 } }, ORIGIN);
    return spec.budget;
  };
  const [assumed, slow] = [await budgetFor(3000, null), await budgetFor(3000, 4)];
  assert.ok(Math.abs(assumed / slow - 4) < 1e-3, `${assumed} steps, ${slow} at a quarter of the speed`);
  // Short trainings spend most of their time on the validation.
  assert.ok((await budgetFor(30, null)) < assumed / 2);
});
