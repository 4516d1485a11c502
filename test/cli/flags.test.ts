import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { addFlags, type Flag, flagsOf, gridFlags, requestOf } from "../../src/cli/flags.js";
import { ArmRequestSchema, ExperimentRequestSchema } from "../../src/schemas/experiment.js";
import { RunRequestSchema } from "../../src/schemas/run.js";
import { SCHEDULE_SCHEMAS } from "../../src/schemas/schedule.js";
import { SearchRequestSchema } from "../../src/schemas/search.js";

const names = (flags: readonly Flag[]) => flags.map(({ path }) => path.join("."));

/** What a request becomes of these arguments. */
function request(flags: readonly Flag[], args: string, base: object = {}): object {
  const command = addFlags(new Command(), flags, false).exitOverride();
  command.configureOutput({ writeErr: () => {} });
  command.parse(args === "" ? [] : args.split(" "), { from: "user" });
  return requestOf(flags, command.opts(), base);
}
const run = flagsOf(RunRequestSchema);
const experiment = [...flagsOf(ExperimentRequestSchema), ...gridFlags(flagsOf(ArmRequestSchema), "grid")];

test("every field of a request is a flag, and so is every parameter of every schedule and optimizer", () => {
  for (const [flags, schema] of [
    [run, RunRequestSchema],
    [flagsOf(SearchRequestSchema), SearchRequestSchema],
    [experiment, ExperimentRequestSchema],
  ] as const) {
    for (const field of Object.keys(schema.properties)) assert.ok(names(flags).includes(field), field);
  }
  for (const { properties } of Object.values(SCHEDULE_SCHEMAS)) {
    for (const parameter of Object.keys(properties)) assert.ok(names(run).includes(`schedule.${parameter}`), parameter);
  }
  for (const name of [
    "optimizer.beta1",
    "optimizer.nesterov",
    "model.hiddenSizes",
    "from.step",
    "stopOnDivergence.factor",
  ])
    assert.ok(names(run).includes(name), name);
  for (const name of ["base.schedule.minLr", "grid.optimizer.momentum"])
    assert.ok(names(experiment).includes(name), name);
});

test("values are what their fields want: numbers, lists, flags and words; text stays text", () => {
  assert.deepEqual(
    request(
      run,
      "--steps 1e3 --lrRange .001 0.1 --schedule.type cosine --schedule.minLr 0 --name 12 --labels a 1 --seed 7",
    ),
    {
      steps: 1000,
      lrRange: [0.001, 0.1],
      schedule: { type: "cosine", minLr: 0 },
      name: "12",
      labels: ["a", "1"],
      seed: 7,
    },
  );
  assert.deepEqual(request(run, "--batchSize full --optimizer adam --model.hiddenSizes 64 --exact false"), {
    batchSize: "full",
    optimizer: "adam",
    model: { hiddenSizes: [64] },
    exact: false,
  });
  assert.deepEqual(request(run, "--batchSize 8 --stopOnDivergence --optimizer.type sgd --optimizer.nesterov"), {
    batchSize: 8,
    stopOnDivergence: true,
    optimizer: { type: "sgd", nesterov: true },
  });
});

test("a name and its parameters make one object, in whatever order; JSON is taken whole", () => {
  const wanted = { schedule: { type: "cosine", lr: "auto" } };
  assert.deepEqual(request(run, "--schedule cosine --schedule.lr auto"), wanted);
  assert.deepEqual(request(run, "--schedule.lr auto --schedule cosine"), wanted);
  const warmup = '{"type":"warmup","steps":5,"schedule":"linear"}';
  assert.deepEqual(request(run, `--schedule ${warmup}`), { schedule: JSON.parse(warmup) });
  assert.deepEqual(request(run, "--model.hiddenSizes [8,8]"), { model: { hiddenSizes: [8, 8] } });
});

test("flags replace what a file says, and leave the rest of it", () => {
  const base = { steps: 5, schedule: { type: "cosine", minLr: 0.1 }, model: { init: "raw" } };
  assert.deepEqual(request(run, "--schedule.minLr 0.2 --model.embeddingDim 4", base), {
    steps: 5,
    schedule: { type: "cosine", minLr: 0.2 },
    model: { init: "raw", embeddingDim: 4 },
  });
  assert.equal(base.schedule.minLr, 0.1);
});

test("an experiment's grid has the fields of its arms, each with several values; seeds are a number or a list", () => {
  assert.deepEqual(
    request(experiment, "--base.steps 100 --grid.schedule cosine linear --grid.optimizer.momentum 0 0.9 --seeds 3"),
    {
      base: { steps: 100 },
      grid: { schedule: ["cosine", "linear"], "optimizer.momentum": [0, 0.9] },
      seeds: 3,
    },
  );
  assert.deepEqual(request(experiment, "--seeds 3 5"), { seeds: [3, 5] });
});

test("a flag that is no field is refused, with the one that was meant", () => {
  assert.throws(() => request(run, "--stepz 3"), /unknown option '--stepz'[\s\S]*--steps/);
});
