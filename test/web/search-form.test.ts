import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveSearch } from "../../src/core/resolve-search.js";
import type { SearchRequest } from "../../src/schemas/search.js";
import { requestOfSearch, tick, toSearchForm, toSearchRequest } from "../../src/web/pages/search-form.js";

const NAMES = { name: "names", digest: "0", vocabSize: 27, trainExamples: 180_000, examples: 225_000 };

test("a form stands for the request that filled it", () => {
  const requests: SearchRequest[] = [
    { steps: 3000, optimizer: "sgd" },
    {
      steps: 500,
      schedules: ["linear", { type: "cosine", minLr: 0.01 }],
      lrRange: [0.001, 1],
      budget: { seconds: 60 },
      finders: false,
      batchSize: 8,
      dataset: "names",
      model: { embeddingDim: 2 },
      optimizer: { type: "adam", beta1: 0.8 },
      seed: 3,
      name: "small",
      labels: ["a", "b"],
    } as SearchRequest,
  ];
  for (const request of requests) assert.deepEqual(toSearchRequest(toSearchForm(request as never)), request);
});

test("schedules that are all ticked are left to the default; one that is not is left out", () => {
  const form = toSearchForm({});
  assert.equal("schedules" in toSearchRequest(form), false);
  const without = toSearchRequest(tick(form, "constant", false)).schedules;
  assert.ok(without!.includes("linear") && !without!.includes("constant"));
});

test("searching again asks for the same search", () => {
  const request = { steps: 300, schedules: ["linear", { type: "cosine", minLr: 0.01 }], budget: { steps: 9000 } };
  const first = resolveSearch(request as SearchRequest, NAMES, 5);
  assert.ok(first.ok);
  const form = toSearchForm(requestOfSearch(first.value) as never);
  const again = resolveSearch(toSearchRequest(form), NAMES, 6);
  assert.ok(again.ok);
  assert.deepEqual(again.value, first.value);
});
