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
