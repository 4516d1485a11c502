import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveRun } from "../../src/core/resolve.js";
import type { Run, RunRequest, RunSpec } from "../../src/schemas/run.js";
import { compareGroups } from "../../src/web/data/baseline.js";
import {
  cut,
  fieldsThatDiffer,
  fieldsThatTell,
  groupsBy,
  groupsOverSeeds,
  namesOf,
  valueText,
} from "../../src/web/data/run-fields.js";
import { requestOf } from "../../src/web/pages/run-facts.js";

const DIGEST = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
const NAMES = { name: "names", digest: DIGEST, vocabSize: 27, trainExamples: 180_000, examples: 225_000 };
let made = 0;

/** As much of a run as there is before it has been trained; `loss`: it is over, with that validation loss. */
function run(request: Partial<RunRequest>, loss?: number | null): Run {
  const resolved = resolveRun({ steps: 100, seed: 1, ...request }, NAMES, 1);
  assert.ok(resolved.ok);
  const result = loss === undefined ? null : { finalValidationLoss: loss };
  const id = `run_${String(made++).padStart(20, "0")}`;
  return { id, spec: resolved.value, status: loss === undefined ? "running" : "succeeded", result } as Run;
}

const grid = (["constant", "cosine"] as const).flatMap((schedule) =>
  [0.03, 0.1].flatMap((lr) => [1, 2].map((seed) => run({ schedule, lrRange: [lr / 100, lr], seed }))),
);

test("fields that differ: the rate first, the seed last, shortly named", () => {
  const fields = fieldsThatDiffer(grid);
  assert.deepEqual(
    fields.map(({ name }) => name).filter((name) => ["lr", "schedule", "seed"].includes(name)),
    ["lr", "schedule", "seed"],
  );
  assert.equal(fields.at(-1)!.name, "seed");
  assert.deepEqual(fields[0]!.values, [0.03, 0.03, 0.1, 0.1, 0.03, 0.03, 0.1, 0.1]);
  assert.equal(fields[0]!.numeric, true);
  // What follows from type and rate does not have to be told.
  assert.deepEqual(
    fieldsThatTell(fields).map(({ name }) => name),
    ["lr", "schedule", "seed"],
  );
});

test("a run without a rate leaves the rates of the others numbers, last in their order; seeds keep all their digits", () => {
  const runs = [run({ schedule: "sweep", seed: 3_954_210_187 }), ...grid];
  const [lr] = fieldsThatDiffer(runs);
  assert.deepEqual([lr!.name, lr!.numeric, lr!.values.slice(0, 2)], ["lr", true, [null, 0.03]]);
  assert.deepEqual(
    groupsBy(lr!).map(({ label }) => label),
    ["lr 0.03", "lr 0.1", "lr none"],
  );
  assert.equal(valueText(3_954_210_187), "3954210187");
  assert.equal(valueText(0.123456), "0.1235");
});

test("runs are named by what sets them apart, or by their own names where those do", () => {
  const names = namesOf(grid, fieldsThatDiffer(grid));
  assert.equal(names[0]!.full, "lr 0.03, constant, seed 1");
  assert.equal(new Set(names.map(({ full }) => full)).size, grid.length);
  const named = [run({ name: "a", seed: 1 }), run({ name: "b", seed: 2 })];
  assert.deepEqual(
    namesOf(named, fieldsThatDiffer(named)).map(({ full }) => full),
    ["a", "b"],
  );
  const alike = [run({}), run({})];
  const [first, second] = namesOf(alike, fieldsThatDiffer(alike));
  assert.notEqual(first!.full, second!.full);
  const long = [run({ name: `${"x".repeat(100)}1` }), run({ name: `${"x".repeat(100)}2` })];
  const [cutName] = namesOf(long, fieldsThatDiffer(long));
  assert.ok(cutName!.label.length < 50 && cutName!.full.length === 101);
});

test("digests are cut, and stand for no difference that the dataset's name tells", () => {
  assert.equal(cut(DIGEST), "5e884898…");
  assert.equal(cut("cosine"), "cosine");
  const other = run({ seed: 1 });
  const runs = [
    run({ seed: 1 }),
    { ...other, spec: { ...other.spec, dataset: { ...other.spec.dataset, digest: "0" } } },
  ];
  assert.deepEqual(
    fieldsThatDiffer(runs).map(({ name }) => name),
    ["digest"],
  );
  const renamed = { ...runs[1]!, spec: { ...runs[1]!.spec, dataset: { name: "mine", digest: "0", limit: null } } };
  assert.deepEqual(
    fieldsThatDiffer([runs[0]!, renamed]).map(({ name }) => name),
    ["dataset"],
  );
});

test("groups of a field's values, and of runs that differ in their seed alone", () => {
  const fields = fieldsThatDiffer(grid);
  assert.deepEqual(
    groupsBy(fields[0]!).map(({ label, members }) => [label, members]),
    [
      ["lr 0.03", [0, 1, 4, 5]],
      ["lr 0.1", [2, 3, 6, 7]],
    ],
  );
  assert.deepEqual(
    groupsOverSeeds(grid, fields).map(({ label, members }) => [label, members]),
    [
      ["lr 0.03, constant", [0, 1]],
      ["lr 0.1, constant", [2, 3]],
      ["lr 0.03, cosine", [4, 5]],
      ["lr 0.1, cosine", [6, 7]],
    ],
  );
});

test("a baseline: differences pair by pair, whatever the seeds add; without a pair there is none", () => {
  const noise = [0.3, -0.2, 0.1, 0.4, -0.5];
  const small = [0.001, -0.001, 0.0005, 0, -0.0005];
  const base = noise.map((extra, i) => run({ seed: i }, 2 + extra));
  const better = noise.map((extra, i) => run({ seed: i, steps: 200 }, 1.9 + extra + small[i]!));
  const others = [run({ seed: 99, steps: 300 }, 1.9)];
  const diverged = [run({ seed: 0, steps: 400 }, null), run({ seed: 1, steps: 400 }, null)];
  const unfinished = [run({ seed: 0, steps: 500 })];
  const sets = [base, better, others, diverged, unfinished];
  const runs = sets.flat();
  const groups = sets.map((set, i) => ({
    label: String(i),
    full: String(i),
    members: set.map((one) => runs.indexOf(one)),
  }));
  const [own, second, third, fourth, fifth] = compareGroups(runs, fieldsThatTell(fieldsThatDiffer(runs)), groups, 0);
  assert.equal(own!.difference, null);
  assert.equal(second!.difference!.verdict, "better");
  assert.ok(Math.abs(second!.difference!.mean! + 0.1) < 1e-9);
  assert.equal(second!.difference!.pairs, 5);
  assert.ok(own!.half! > 0.3, "the means alone could not tell");
  assert.equal(third!.difference, null);
  assert.equal(fourth!.diverged, 2);
  assert.equal(fourth!.mean, null);
  assert.equal(fifth!.finished, 0);
});

test("groups by schedule are paired by rate and seed, and lose no run", () => {
  const finished = grid.map((one, i) => run({ ...requestOf(one.spec as RunSpec) }, 2 + i / 10));
  const fields = fieldsThatDiffer(finished);
  const groups = groupsBy(fields.find(({ name }) => name === "schedule")!);
  const [constant, cosine] = compareGroups(finished, fieldsThatTell(fields), groups, 0);
  assert.deepEqual([constant!.finished, cosine!.finished], [4, 4]);
  assert.equal(cosine!.difference!.pairs, 4);
  assert.ok(Math.abs(cosine!.difference!.mean! - 0.4) < 1e-9);
});
