import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveExperiment } from "../../src/core/experiment/resolve.js";
import { resolveRun } from "../../src/core/resolve.js";
import { resolveSearch } from "../../src/core/resolve-search.js";
import { requestWarnings, resultWarnings, searchWarnings } from "../../src/core/warnings.js";
import type { ExperimentRequest } from "../../src/schemas/experiment.js";
import type { RunRequest, RunResult } from "../../src/schemas/run.js";
import type { SearchRequest } from "../../src/schemas/search.js";

const NAMES = { name: "names", digest: "", vocabSize: 27, trainExamples: 180_000, examples: 225_000 };

function warned(request: RunRequest): string[] {
  const resolved = resolveRun(request, NAMES, 1);
  assert.ok(resolved.ok, JSON.stringify(resolved));
  return requestWarnings(request, resolved.value).map(({ code, pointer }) => `${code} ${pointer}`);
}

const MEANT_OTHERWISE: readonly [RunRequest, string][] = [
  [{ steps: 100, schedule: { type: "step", milestones: [150] } }, "milestone-past-end /schedule/milestones/0"],
  [
    { steps: 100, schedule: { type: "MultiStepLR", milestones: [50, 100] } },
    "milestone-past-end /schedule/milestones/1",
  ],
  [{ steps: 100, schedule: { type: "StepLR", stepSize: 100 } }, "flat /schedule"],
  [{ steps: 100, schedule: { type: "cosine", steps: 50 } }, "rebound /schedule/steps"],
  [{ steps: 100, schedule: { type: "OneCycleLR", totalSteps: 50 } }, "library-crash /schedule/totalSteps"],
  [{ steps: 100, schedule: { type: "constant", lr: 5 }, lrRange: [0.001, 0.1] }, "outside-range /schedule/lr"],
  [{ steps: 100, schedule: { type: "sweep", start: 1e-6 }, lrRange: [1e-4, 10] }, "outside-range /schedule/start"],
  [{ steps: 100, evalEvery: 101 }, "beyond-end /evalEvery"],
  [{ steps: 100, checkpointEvery: 1000 }, "beyond-end /checkpointEvery"],
];
for (const [request, warning] of MEANT_OTHERWISE) {
  test(`warned of: ${warning} in ${JSON.stringify(request)}`, () => assert.deepEqual(warned(request), [warning]));
}

test("nothing to warn of in what is usual, nor in a library's own habits", () => {
  for (const request of [
    { steps: 100 },
    { steps: 1, schedule: "step" },
    { steps: 100, schedule: "cosine", lrRange: [0.001, 0.1] },
    { steps: 300, schedule: { type: "sweep", start: 1e-4, end: 10 }, lrRange: [1e-4, 10] },
    { steps: 200_000, schedule: { type: "step", lr: 0.1, milestones: [150_000] } },
    { steps: 100, schedule: { type: "hf/linear", numWarmupSteps: 10 } },
    { steps: 100, schedule: "ReduceLROnPlateau" },
    { steps: 100, evalEvery: 100 },
    { steps: 1_000_000, schedule: { type: "multiplicative", factor: "1.0" } },
  ] as RunRequest[]) {
    assert.deepEqual(warned(request), [], JSON.stringify(request));
  }
});

const searched = (request: SearchRequest) => {
  const resolved = resolveSearch(request, NAMES, 1);
  assert.ok(resolved.ok, JSON.stringify(resolved));
  return searchWarnings(request, resolved.value).map(({ code, pointer }) => `${code} ${pointer}`);
};

test("a search is warned of a schedule that does what was hardly meant, and of a budget too short to settle anything", () => {
  const rebound = { type: "cosine", steps: 50 } as const;
  assert.deepEqual(searched({ steps: 100, schedules: ["linear", rebound] }), ["rebound /schedules/1/steps"]);
  assert.deepEqual(searched({ steps: 100, budget: { steps: 1099 } }), ["budget-short /budget/steps"]);
  assert.deepEqual(searched({ steps: 100, budget: { seconds: 1e-4 } }), ["budget-short /budget/seconds"]);
  const fine = [{ steps: 100 }, { steps: 10 }, { steps: 100, budget: { steps: 1100 } }, { steps: 100, shapes: true }];
  for (const request of fine) assert.deepEqual(searched(request), [], JSON.stringify(request));
});

test("an experiment is warned of its arms, at the field of the request that each comes from", () => {
  const warnedOf = (request: ExperimentRequest) => {
    const resolved = resolveExperiment(request, NAMES, () => []);
    assert.ok(resolved.ok, JSON.stringify(resolved));
    return resolved.value.warnings.map(({ code, pointer }) => `${code} ${pointer}`);
  };
  const late = { type: "step", milestones: [150] };
  const grid = { schedule: ["cosine", late], batchSize: [8, 16] };
  assert.deepEqual(warnedOf({ base: { steps: 100 }, grid }), ["milestone-past-end /grid/schedule/1/milestones/0"]);
  const specs = [{ steps: 100 }, { steps: 100, schedule: late }] as never;
  assert.deepEqual(warnedOf({ specs }), ["milestone-past-end /specs/1/schedule/milestones/0"]);
  assert.deepEqual(warnedOf({ base: { steps: 100 }, grid: { schedule: ["cosine", "linear"] } }), []);
});

test("a finite loss that is no better than guessing is hopeless; a better one, or none, is not", () => {
  const loss = (finalValidationLoss: number | null) =>
    resultWarnings({ finalValidationLoss } as RunResult, Math.log(27)).map(({ code }) => code);
  assert.deepEqual(loss(3.4), ["worse-than-guessing"]);
  assert.deepEqual(loss(2.3), []);
  assert.deepEqual(loss(null), []);
  assert.deepEqual(resultWarnings(null, Math.log(27)), []);
});
