import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, createSearch, nextTasks, record } from "../../../src/core/finder/search.js";
import {
  type SearchConfig,
  type SearchResult,
  type SearchState,
  type SearchTask,
  searchConfig,
} from "../../../src/core/finder/search-state.js";
import { Rng } from "../../../src/core/rng.js";
import { ladder } from "../../../src/core/schedules/ladder.js";

/** A training whose best rate is known: a parabola in log rate that deepens with the steps, plus noise. */
interface World {
  readonly best: number;
  /** Rates from here on diverge. */
  readonly limit: number;
  /** Where the sweep's steepest fall lies. */
  readonly knee: number;
  /** Deviation of what a seed adds to all its arms, and of what is left. */
  readonly common: number;
  readonly own: number;
}
const world: World = { best: 0.08, limit: 1, knee: 0.05, common: 0.3, own: 0.005 };

const range: readonly [number, number] = [1e-4, 1];
const small = (extra: Partial<SearchConfig> = {}) => searchConfig({ lrRange: range, steps: 3000, seed: 5, ...extra });

function run(task: SearchTask, w: World): SearchResult {
  const common = w.common * new Rng(task.seed, 0).normal();
  if (task.kind === "sweep") {
    const rate = ladder({
      convention: "inclusive",
      start: range[0],
      end: range[1],
      steps: task.steps,
      spacing: "exponential",
    });
    const rng = new Rng(task.seed, 1);
    const lr = Array.from({ length: task.steps }, (_, i) => rate(i)).filter((x) => x < w.limit);
    return { id: task.id, lr, loss: lr.map((x) => 3 + common - 1 / (1 + w.knee / x) + 0.02 * rng.normal()) };
  }
  if (task.lr >= w.limit) return { id: task.id, validationLoss: Number.NaN };
  const rng = new Rng(task.seed * 1000 + Math.round(Math.log10(task.lr) * 1e4), 2);
  const best = Math.log10(w.best) + 0.2 * Math.log10(3000 / task.steps);
  const excess = 0.2 * (Math.log10(task.lr) - best) ** 2;
  return { id: task.id, validationLoss: 2.3 + 100 / task.steps + common + excess + w.own * rng.normal() };
}

/** Runs a search; `order` rearranges a stage's tasks. Every state goes through JSON, as it does in the store. */
function complete(config: SearchConfig, w: World, order = (tasks: readonly SearchTask[]) => [...tasks]) {
  let state = createSearch(config);
  const seen: SearchTask[] = [];
  for (let tasks = nextTasks(state); tasks.length > 0; tasks = nextTasks(state)) {
    seen.push(...tasks);
    for (const task of order(tasks)) state = record(JSON.parse(JSON.stringify(state)) as SearchState, run(task, w));
  }
  return { state, seen, found: answer(state) };
}

const decades = (a: number, b: number) => Math.abs(Math.log10(a / b));

test("finds the best rate under noise a hundred times that of the differences", () => {
  for (let seed = 0; seed < 20; seed++) {
    const { found } = complete(small({ seed: seed * 100 }), world);
    assert.ok(decades(found!.lr, world.best) < 0.1, `seed ${seed}: ${found!.lr}`);
    assert.ok(found!.interval[0] <= found!.lr && found!.lr <= found!.interval[1]);
    assert.ok(found!.complete);
  }
});

test("without common seeds the same noise would hide it: the guard against unpaired arms", () => {
  const unpaired: World = { ...world, common: 0, own: 0.3 };
  const errors = Array.from({ length: 10 }, (_, i) =>
    decades(complete(small({ seed: i * 100 }), unpaired).found!.lr, world.best),
  );
  assert.ok(Math.max(...errors) > 0.3);
});

test("the sweeps may point two decades off: the arms move on to where the loss is lowest", () => {
  for (const knee of [0.0003, 0.9]) {
    const { found } = complete(small(), { ...world, knee });
    assert.ok(decades(found!.lr, world.best) < 0.1, `knee ${knee}: ${found!.lr}`);
  }
});

test("an optimum outside the range gives the end of the range", () => {
  assert.equal(complete(small(), { ...world, best: 100, limit: 1000 }).found!.lr, 1);
  assert.ok(decades(complete(small(), { ...world, best: 1e-7 }).found!.lr, 1e-4) < 0.01);
});

test("rates that diverge are never chosen", () => {
  const { found } = complete(small(), { ...world, best: 0.08, limit: 0.09 });
  assert.ok(found!.lr < 0.09 && found!.lr > 0.04, `${found!.lr}`);
});

test("when every rate diverges the search ends without an answer", () => {
  const { state, found } = complete(small(), { ...world, limit: 1e-9 });
  assert.equal(state.stage, "done");
  assert.equal(found, null);
});

test("the order of results, and a result that comes twice, change nothing", () => {
  const straight = complete(small(), world).found;
  const reversed = complete(small(), world, (tasks) => [...tasks].reverse()).found;
  const twice = complete(small(), world, (tasks) => [...tasks, ...tasks]).found;
  assert.deepEqual(reversed, straight);
  assert.deepEqual(twice, straight);
});

test("every arm of a rung is trained with the same seeds, and no task twice", () => {
  const { seen } = complete(small(), world);
  assert.equal(new Set(seen.map((task) => task.id)).size, seen.length);
  const seeds = new Map<string, number[]>();
  for (const task of seen) {
    if (task.kind === "arm")
      seeds.set(`${task.lr} ${task.steps}`, [...(seeds.get(`${task.lr} ${task.steps}`) ?? []), task.seed]);
  }
  for (const list of seeds.values()) {
    const sorted = [...list].sort((a, b) => a - b);
    assert.deepEqual(
      sorted,
      Array.from({ length: list.length }, (_, i) => 5 + i),
    );
  }
});

test("seeds are added only while the interval is wider than wanted", () => {
  const seedsAt = (own: number) =>
    Math.max(...complete(small(), { ...world, own }).found!.arms.map((arm) => arm.seeds.length));
  assert.equal(seedsAt(0.0005), 5);
  assert.equal(seedsAt(0.03), 10);
});

test("the regret of a classic method is its loss in excess of the chosen rate's, seed by seed", () => {
  const { found } = complete(small(), { ...world, own: 0 });
  const excess = (lr: number) => 0.2 * Math.log10(lr / world.best) ** 2;
  const trained = found!.regrets.filter((r) => r.regret !== null);
  assert.ok(trained.length >= 5);
  for (const { lr, regret } of trained) assert.ok(Math.abs(regret! - (excess(lr!) - excess(found!.lr))) < 1e-9);
});

test("a step limit is kept, and the best of what was trained is the answer", () => {
  for (const totalSteps of [11_000, 20_000, 40_000, 120_000]) {
    const { state, seen, found } = complete(small({ totalSteps }), world);
    assert.equal(state.stage, "done");
    assert.ok(seen.reduce((sum, task) => sum + task.steps, 0) <= totalSteps);
    assert.equal(found!.complete, false);
    assert.ok(decades(found!.lr, world.best) < 0.35, `${totalSteps}: ${found!.lr}`);
  }
  assert.throws(() => createSearch(small({ totalSteps: 1000 })), RangeError);
});

test("a range without width and a result of the wrong kind are errors", () => {
  assert.throws(() => createSearch(small({ lrRange: [1, 1] })), RangeError);
  assert.throws(() => createSearch(small({ lrRange: [0, 1] })), RangeError);
  const state = createSearch(small());
  assert.throws(() => record(state, { id: nextTasks(state)[0]!.id, validationLoss: 1 }), TypeError);
});
