import assert from "node:assert/strict";
import { test } from "node:test";
import { renamePythonNames } from "../../../src/core/schedules/torch/python-names.js";
import { TORCH_SCHEMAS } from "../../../src/schemas/schedules/torch.js";

/** The signatures of torch.optim.lr_scheduler's classes (PyTorch 2.x), without what is the optimizer's or the loop's. */
const SIGNATURES = {
  LambdaLR: "lr_lambda",
  MultiplicativeLR: "lr_lambda",
  StepLR: "step_size gamma",
  MultiStepLR: "milestones gamma",
  ConstantLR: "factor total_iters",
  LinearLR: "start_factor end_factor total_iters",
  ExponentialLR: "gamma",
  PolynomialLR: "total_iters power",
  CosineAnnealingLR: "T_max eta_min",
  CosineAnnealingWarmRestarts: "T_0 T_mult eta_min",
  CyclicLR: "base_lr max_lr step_size_up step_size_down mode gamma cycle_momentum base_momentum max_momentum",
  OneCycleLR:
    "max_lr total_steps epochs steps_per_epoch pct_start anneal_strategy cycle_momentum base_momentum max_momentum div_factor final_div_factor three_phase",
  SequentialLR: "schedulers milestones",
  ChainedScheduler: "schedulers",
  SWALR: "swa_lr anneal_epochs anneal_strategy",
  ReduceLROnPlateau: "mode factor patience threshold threshold_mode cooldown min_lr eps",
};

test("every parameter of every PyTorch class is taken by PyTorch's own name", () => {
  assert.deepEqual(Object.keys(SIGNATURES).sort(), Object.keys(TORCH_SCHEMAS).sort());
  for (const [type, names] of Object.entries(SIGNATURES)) {
    const given = Object.fromEntries(names.split(" ").map((name) => [name, 1]));
    const schedule: Record<string, unknown> = { type, ...given };
    renamePythonNames({ schedule });
    const { properties } = TORCH_SCHEMAS[type as keyof typeof TORCH_SCHEMAS];
    const unknown = Object.keys(schedule).filter((name) => !Object.hasOwn(properties, name));
    assert.deepEqual(unknown, [], type);
    assert.equal(Object.keys(schedule).length, names.split(" ").length + 1, type);
  }
});

test("schedules are found wherever a request holds them; all else is left as it is", () => {
  const step = () => ({ type: "StepLR", step_size: 3 });
  const renamed = { type: "StepLR", stepSize: 3 };
  const body = {
    schedule: { type: "SequentialLR", schedulers: [step(), { type: "warmup", schedule: step() }] },
    schedules: [step(), "cosine"],
    base: { schedule: step() },
    specs: [{ schedule: step() }],
    grid: { schedule: ["constant", step()] },
    model: { type: "StepLR", step_size: 3 },
  };
  const renamings = renamePythonNames(body);
  assert.deepEqual(body, {
    schedule: { type: "SequentialLR", schedulers: [renamed, { type: "warmup", schedule: renamed }] },
    schedules: [renamed, "cosine"],
    base: { schedule: renamed },
    specs: [{ schedule: renamed }],
    grid: { schedule: ["constant", renamed] },
    model: { type: "StepLR", step_size: 3 },
  });
  assert.ok(
    renamings.some(({ given, now }) => given === "/specs/0/schedule/step_size" && now === "/specs/0/schedule/stepSize"),
  );
  for (const odd of [
    null,
    3,
    "x",
    [],
    { schedule: null },
    { specs: 3, grid: 3 },
    { schedule: { type: "__proto__", a_b: 1 } },
  ]) {
    assert.deepEqual(renamePythonNames(odd), []);
  }
});

test("what is given by both names stays, to be refused; no depth exhausts the stack", () => {
  const twice = { type: "StepLR", step_size: 3, stepSize: 4 };
  assert.deepEqual(renamePythonNames({ schedule: twice }), []);
  assert.deepEqual(twice, { type: "StepLR", step_size: 3, stepSize: 4 });
  let deep: object = { type: "StepLR", step_size: 3 };
  for (let i = 0; i < 100_000; i++) deep = { schedule: deep };
  assert.equal(renamePythonNames(deep).length, 1);
});
