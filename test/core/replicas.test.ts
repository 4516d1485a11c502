import assert from "node:assert/strict";
import { test } from "node:test";
import { readEngineState } from "../../src/core/engine-state.js";
import { atOnce } from "../../src/core/evaluation.js";
import { ReplicaSet } from "../../src/core/replicas.js";
import { ToyEngine } from "./toy-engine.js";

/** At lr 1 and curvature c the parameter is multiplied by 1 - c each step: losses start^2 c / 2 times (1 - c)^2k. */
const toy = (start: number, curvature = 1) => new ToyEngine({ start: [start], curvature });
const rates = (steps: number) => ({ lr: new Float64Array(steps).fill(1) });

function run(engine: ReplicaSet, steps: number): number[] {
  const loss = new Float32Array(steps);
  return [...loss.subarray(0, engine.steps(rates(steps), loss))];
}

test("the loss of a step is the median of the replicas', of an even number the mean of the two in the middle", () => {
  assert.deepEqual(run(new ReplicaSet([toy(4), toy(1), toy(2)]), 2), [2, 0]);
  // First losses 0.5, 2, 8, 32.
  assert.deepEqual(run(new ReplicaSet([toy(8), toy(1), toy(4), toy(2)]), 1), [5]);
  const one = new ReplicaSet([toy(3)]);
  assert.deepEqual(run(one, 1), [4.5]);
});

test("each one's losses can be had, and each is as if trained alone", () => {
  const engines = [1, 2, 3].map((seed) => new ToyEngine({ noise: 1, seed }));
  const set = new ReplicaSet(engines);
  const loss = new Float32Array(8);
  set.steps({ lr: new Float64Array(8).fill(0.1) }, loss);
  for (const [k, losses] of set.replicaLosses(8).entries()) {
    const alone = new ToyEngine({ noise: 1, seed: k + 1 });
    const wanted = new Float32Array(8);
    alone.steps({ lr: new Float64Array(8).fill(0.1) }, wanted);
    assert.deepEqual(losses, wanted);
    assert.deepEqual(engines[k]!.readState(), alone.readState());
  }
});

/** Its loss leaves float32 at step 2: a parameter of 1e15, and times 1e4 each step. */
const short = () => new ToyEngine({ start: [1e15], curvature: 1e4 + 1 });

test("a replica whose loss is not finite is out: infinitely bad, and not trained nor evaluated any more", () => {
  const lost = short();
  const set = new ReplicaSet([toy(1, 0.5), lost, toy(1, 0.5)]);
  assert.deepEqual(run(set, 4), [0.25, 0.0625, 0.015625, 0.00390625]);
  const losses = [...set.replicaLosses(4)[1]!];
  assert.ok(Number.isFinite(losses[0]) && losses.slice(2).every((loss) => loss === Number.POSITIVE_INFINITY));
  const asked = lost.calls.length;
  run(set, 3);
  assert.equal(lost.calls.length, asked);
  // 1 / 2 (0.5^7)^2 / 2 on both that are left.
  assert.equal(atOnce(set.evaluation("validation")), (0.5 / 2) * 0.5 ** 14);
});

test("a loss that is no number is infinitely bad too", () => {
  const set = new ReplicaSet([toy(Number.NaN), toy(2), toy(3)]);
  assert.deepEqual(run(set, 1), [4.5]);
  assert.deepEqual([...set.replicaLosses(1)[0]!], [Number.POSITIVE_INFINITY]);
});

test("the whole ends at the step where half are out, with the others at that step too", () => {
  const living = toy(1, 0.5);
  const set = new ReplicaSet([living, short()]);
  const loss = run(set, 10);
  assert.equal(loss.at(-1), Number.POSITIVE_INFINITY);
  assert.ok(loss.slice(0, -1).every(Number.isFinite) && loss.length < 10);
  assert.deepEqual([set.step, living.step], [loss.length - 1, loss.length - 1]);
});

test("cut anywhere, and through its state's bytes, a set gives the same", () => {
  const make = () => new ReplicaSet([toy(1, 0.5), short(), toy(2, 0.25), new ToyEngine({ start: [3], noise: 1 })]);
  const whole = make();
  const wanted = run(whole, 12);
  for (let cut = 1; cut < 12; cut++) {
    const first = make();
    const losses = run(first, cut);
    const rest = make();
    rest.writeState(first.readState());
    assert.equal(rest.step, cut);
    assert.deepEqual([...losses, ...run(rest, 12 - cut)], wanted, `cut at ${cut}`);
    assert.deepEqual(rest.readState(), whole.readState());
  }
});

test("a replica that is out stays out through the state's bytes", () => {
  const before = new ReplicaSet([toy(1, 0.5), short(), toy(1, 0.5)]);
  run(before, 4);
  const lost = short();
  const after = new ReplicaSet([toy(1, 0.5), lost, toy(1, 0.5)]);
  after.writeState(before.readState());
  run(after, 4);
  assert.deepEqual(lost.calls, []);
});

test("its state begins with the first replica's, and a state of another size is refused", () => {
  const set = new ReplicaSet([toy(5), toy(6)]);
  run(set, 1);
  const { step, parameters } = readEngineState(set.readState(), 1);
  assert.deepEqual([step, ...parameters], [1, 0]);
  assert.deepEqual([...new ReplicaSet([toy(5), toy(6)]).readParameters()], [5]);
  assert.throws(() => set.writeState(new Uint8Array(3)), RangeError);
});

test("dispose disposes of all", () => {
  const engines = [toy(1), toy(2)];
  new ReplicaSet(engines).dispose();
  assert.ok(engines.every(({ disposed }) => disposed));
});
