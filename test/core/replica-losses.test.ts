import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../src/core/engine.js";
import { atOnce } from "../../src/core/evaluation.js";
import { ReplicaSet } from "../../src/core/replicas.js";
import { resolveRun } from "../../src/core/resolve.js";
import { train } from "../../src/core/train.js";
import { createReference } from "../../src/engine/reference.js";
import { problem } from "../engine/problem.js";

const SHAPE = {
  hiddenSizes: [3],
  activation: "tanh",
  vocabSize: 5,
  contextLength: 2,
  embeddingDim: 2,
  examples: 12,
} as const;

/** Engines that differ by a factor on their initial parameters; NaN makes one whose first loss is not finite. */
function enginesOf(factors: readonly number[]): Engine[] {
  const options = problem({ ...SHAPE, hiddenSizes: [3] }, { batchSize: 4 });
  return factors.map((factor) =>
    createReference({ ...options, parameters: options.parameters.map((value) => value * factor) }),
  );
}

const rates = (count: number) => ({ lr: new Float64Array(count).fill(0.3) });

function lossesOf(engine: Engine, count: number): Float32Array {
  const loss = new Float32Array(count);
  const ran = engine.steps(rates(count), loss);
  return loss.subarray(0, ran);
}

/** Runs a generator to its end: [what it returned, how often it yielded]. */
function drained<T>(generator: Generator<undefined, T>): [T, number] {
  for (let yields = 0; ; yields++) {
    const { done, value } = generator.next();
    if (done) return [value, yields];
  }
}

test("the loss of a step is the median of the replicas', and each one's own can be had", () => {
  const set = new ReplicaSet(enginesOf([1, 3, 0.5]));
  const own = enginesOf([1, 3, 0.5]).map((engine) => lossesOf(engine, 6));
  const loss = lossesOf(set, 6);
  assert.deepEqual(set.replicaLosses(6), own);
  assert.deepEqual(
    [...loss],
    [...loss].map((_, i) => own.map((losses) => losses[i]!).sort((a, b) => a - b)[1]),
  );
  assert.equal(set.step, 6);
  assert.equal(set.replicaLosses(2)[0]!.length, 2);
});

test("a replica's own evaluation is its engine's; null once it is out, also after a state is read back", () => {
  const set = new ReplicaSet(enginesOf([1, Number.NaN, 2]));
  lossesOf(set, 4);
  const alone = enginesOf([1, 2]).map((engine) => {
    lossesOf(engine, 4);
    return atOnce(engine.evaluation("validation"));
  });
  const [values, yields] = drained(set.evaluations("validation"));
  assert.deepEqual(values, [alone[0], null, alone[1]]);
  assert.ok(yields > 1, "there are pauses to be had");
  assert.equal(atOnce(set.evaluation("validation")), (alone[0]! + alone[1]!) / 2);

  const resumed = new ReplicaSet(enginesOf([5, 6, 7]));
  resumed.writeState(set.readState());
  assert.deepEqual(drained(resumed.evaluations("validation"))[0], values);
});

test("an evaluation that is not finite is null: an empty split's, or that of parameters gone bad before any step", () => {
  const set = new ReplicaSet(enginesOf([1, Number.NaN]));
  assert.deepEqual(drained(set.evaluations("test"))[0], [null, null]);
  assert.ok(Number.isNaN(atOnce(set.evaluation("test"))));
  const [good, bad] = drained(set.evaluations("train"))[0];
  assert.ok(Number.isFinite(good));
  assert.equal(bad, null);
});

test("once half are out the whole is not finite, and the others stand where it ended", () => {
  const engines = enginesOf([1, Number.NaN]);
  const set = new ReplicaSet(engines);
  assert.deepEqual(lossesOf(set, 5), Float32Array.of(Number.POSITIVE_INFINITY));
  assert.equal(set.step, 0);
  assert.equal(engines[0]!.step, 0);
});

test("a run's chunks hold each replica's losses, and none where there is one engine", () => {
  const facts = { name: "names", digest: "0".repeat(64), vocabSize: 5, trainExamples: 12, examples: 15 };
  const resolved = resolveRun({ steps: 3, replicas: 2 }, facts, 1);
  assert.ok(resolved.ok);
  const chunksOf = (engine: Engine) =>
    [...train(resolved.value, engine, null, () => 0)].filter((p) => p !== undefined).map(({ chunk }) => chunk);
  for (const { replicas, loss } of chunksOf(new ReplicaSet(enginesOf([1, 2])))) {
    assert.deepEqual(
      loss,
      replicas![0]!.map((a, i) => (a + replicas![1]![i]!) / 2),
    );
  }
  assert.ok(chunksOf(enginesOf([1])[0]!).every((chunk) => chunk.replicas === undefined));
});
