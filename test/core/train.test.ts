import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { resolveRun } from "../../src/core/resolve.js";
import { forkedState, type LoopState, type Progress, train } from "../../src/core/train.js";
import type { EvalPoint } from "../../src/schemas/metrics.js";
import type { RunRequest, RunSpec } from "../../src/schemas/run.js";
import { ToyEngine, type ToyOptions } from "./toy-engine.js";

function specOf(request: RunRequest): RunSpec {
  const resolved = resolveRun(
    request,
    { name: "names", digest: "0", vocabSize: 27, trainExamples: 1000, examples: 1250 },
    0,
  );
  assert.ok(resolved.ok, JSON.stringify(resolved));
  return resolved.value;
}

/** A clock by which each chunk takes what `next` says, in ms: 0 makes chunks grow fourfold, 1000 keeps them at one step. */
function clock(next: () => number): () => number {
  let now = 0;
  let starts = true;
  return () => {
    if (!starts) now += next();
    starts = !starts;
    return now;
  };
}
const STEP_BY_STEP = () => clock(() => 1000);
const AT_ONCE = () => clock(() => 0);

interface Trace {
  readonly lr: number[];
  readonly loss: number[];
  readonly evals: EvalPoint[];
  /** Steps done at each yield. */
  readonly ends: number[];
  readonly state: LoopState | null;
  /** The engine's, as bytes. */
  readonly bytes: number[];
}

function traceOf(progress: Iterable<Progress | undefined>, engine: ToyEngine): Trace {
  const trace = { lr: [] as number[], loss: [] as number[], evals: [] as EvalPoint[], ends: [] as number[] };
  let state: LoopState | null = null;
  let next: number | null = null;
  for (const each of progress) {
    if (each === undefined) continue;
    if (next !== null) assert.equal(each.chunk.from, next, "chunks follow each other");
    next = each.chunk.from + each.chunk.lr.length;
    assert.equal(each.chunk.loss.length, each.chunk.lr.length);
    assert.equal(each.state.step, next);
    trace.lr.push(...each.chunk.lr);
    trace.loss.push(...each.chunk.loss);
    trace.evals.push(...each.chunk.evals);
    trace.ends.push(next);
    state = each.state;
  }
  return { ...trace, state, bytes: [...engine.readState()] };
}

function trained(spec: RunSpec, toy: ToyOptions = {}, now = AT_ONCE()): Trace {
  const engine = new ToyEngine(toy);
  return traceOf(train(spec, engine, null, now), engine);
}

/** Of a trace what must not depend on where chunks are cut. */
const uncut = ({ ends: _, ...rest }: Trace) => rest;

const NOISY: ToyOptions = { noise: 2, seed: 3 };
/** Everything that the loop has to do at its exact step, at steps that share no divisor. */
const BUSY: readonly RunRequest[] = [
  { steps: 300, schedule: "one-cycle", evalEvery: 7, checkpointEvery: 11, stopOnDivergence: true },
  {
    steps: 300,
    schedule: { type: "reduce-on-plateau", lr: 0.5, every: 5, patience: 1, factor: 0.7 },
    evalEvery: 9,
    stopOnDivergence: { factor: 50, smoothing: 0.5 },
  },
  // Far too high: ends early.
  { steps: 300, schedule: { type: "sweep", start: 0.01, end: 100 }, evalEvery: 4, stopOnDivergence: true },
];

describe("train: where chunks are cut", () => {
  for (const request of BUSY) {
    const { type } = specOf(request).schedule;

    test(`changes nothing: ${type}`, () => {
      const spec = specOf(request);
      const single = trained(spec, NOISY, STEP_BY_STEP());
      assert.deepEqual(
        single.ends,
        Array.from(single.lr, (_, i) => i + 1),
        "one step a chunk",
      );
      const large = trained(spec, NOISY, AT_ONCE());
      assert.ok(large.ends.length < single.ends.length / 2, "chunks of several steps");
      assert.deepEqual(uncut(large), uncut(single));
      const anyClock = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1 });
      const cutAnyhow = fc.property(anyClock, (times) => {
        let i = 0;
        const now = clock(() => times[i++ % times.length]!);
        assert.deepEqual(uncut(trained(spec, NOISY, now)), uncut(single));
      });
      fc.assert(cutAnyhow, { numRuns: 30 });
    });

    test(`a run resumed after any chunk, through JSON, is the uninterrupted one: ${type}`, () => {
      const spec = specOf(request);
      const whole = trained(spec, NOISY);
      for (const stop of whole.ends) {
        const before = new ToyEngine(NOISY);
        const seen: Progress[] = [];
        for (const progress of train(spec, before, null, AT_ONCE())) {
          if (progress !== undefined) seen.push(progress);
          if (progress?.state.step === stop) break;
        }
        const after = new ToyEngine(NOISY);
        after.writeState(before.readState());
        const resume = JSON.parse(JSON.stringify(seen.at(-1)!.state)) as LoopState;
        const rest = traceOf(train(spec, after, resume, AT_ONCE()), after);
        const first = traceOf(seen, before);
        assert.deepEqual(
          [...first.lr, ...rest.lr, ...first.loss, ...rest.loss, ...first.evals, ...rest.evals],
          [...whole.lr, ...whole.loss, ...whole.evals],
          `resumed after ${stop}`,
        );
        assert.deepEqual(rest.bytes, whole.bytes);
        assert.deepEqual(rest.state ?? seen.at(-1)!.state, whole.state);
      }
    });
  }

  test("a chunk aims at 50 ms and grows at most fourfold", () => {
    const engine = new ToyEngine();
    const spec = specOf({ steps: 600 });
    // 1 ms a step, as the engine has just been called says.
    let now = 0;
    let calls = 0;
    traceOf(
      train(spec, engine, null, () => {
        if (++calls % 2 === 0) now += engine.calls.at(-1)!;
        return now;
      }),
      engine,
    );
    assert.deepEqual(engine.calls.slice(0, 6), [1, 4, 16, 50, 50, 50]);
  });
});

/** At lr 3 on a curvature of 1, each step doubles and flips the one parameter: losses 0.5, 2, 8, 32, ... */
const DOUBLING: ToyOptions = { start: [1] };
const TOO_HIGH = { type: "constant", lr: 3 } as const;

describe("train: divergence", () => {
  for (const [name, now] of Object.entries({ STEP_BY_STEP, AT_ONCE })) {
    test(`stops after the first step above factor times the best loss, with that step's bytes: ${name}`, () => {
      const spec = specOf({ steps: 100, schedule: TOO_HIGH, stopOnDivergence: { factor: 16, smoothing: 0 } });
      const { loss, state, bytes } = trained(spec, DOUBLING, now());
      // 8 is 16 times the first; 32 is above.
      assert.deepEqual(loss, [0.5, 2, 8, 32]);
      assert.deepEqual(state!.diverged, {
        step: 3,
        reason: "the smoothed loss at step 3 is too far above its best",
      });
      assert.equal(state!.step, 4);
      const alone = new ToyEngine(DOUBLING);
      alone.steps({ lr: Float64Array.of(3, 3, 3, 3) }, new Float32Array(4));
      assert.deepEqual(bytes, [...alone.readState()]);
    });

    test(`a loss that is not finite is the last one, and its update is not applied: ${name}`, () => {
      for (const stopOnDivergence of [false, { factor: 1e6, smoothing: 0.999 }]) {
        const spec = specOf({ steps: 100, schedule: TOO_HIGH, stopOnDivergence });
        const engine = new ToyEngine(DOUBLING);
        const { loss, state } = traceOf(train(spec, engine, null, now()), engine);
        if (stopOnDivergence === false) {
          // The loss of step k is 2^(2k - 1); float32 ends below 2^128.
          assert.equal(loss.length, 66);
          assert.equal(loss[64], 2 ** 127);
          assert.deepEqual(state!.diverged, { step: 65, reason: "the loss of step 65 is not finite" });
          assert.equal(state!.step, 66);
          assert.equal(engine.step, 65);
        } else assert.ok(state!.diverged!.step < 65, "the rule is quicker");
      }
    });
  }

  test("evaluates nothing at the step where it ends", () => {
    const spec = specOf({
      steps: 100,
      schedule: TOO_HIGH,
      evalEvery: 2,
      stopOnDivergence: { factor: 16, smoothing: 0 },
    });
    assert.deepEqual(
      trained(spec, DOUBLING).evals.map(({ step }) => step),
      [2],
    );
  });
});

describe("train: what happens at its exact step", () => {
  test("a chunk ends at every multiple of evalEvery and checkpointEvery, and at the end", () => {
    const { ends, evals } = trained(specOf({ steps: 100, evalEvery: 15, checkpointEvery: 40 }));
    for (const step of [15, 30, 40, 45, 60, 75, 80, 90, 100]) assert.ok(ends.includes(step), `a chunk ends at ${step}`);
    assert.deepEqual(
      evals.map(({ step }) => step),
      [15, 30, 45, 60, 75, 90],
    );
  });

  test("an evaluation is of the parameters after its step, on the validation split", () => {
    const lr = 0.25;
    const { evals } = trained(specOf({ steps: 6, schedule: { type: "constant", lr }, evalEvery: 3 }), { start: [1] });
    // w = 0.75^step; the loss w^2 / 2; all of it exact in float32.
    assert.deepEqual(
      evals,
      [3, 6].map((step) => ({ step, validationLoss: 0.75 ** (2 * step) / 2 })),
    );
  });

  test("a policy is shown the mean loss of the steps since it looked last, and its rate holds from the next step on", () => {
    // No curvature: every loss is 0, none better than the first; the rate falls once `patience` of them are exceeded.
    const spec = specOf({
      steps: 16,
      schedule: { type: "reduce-on-plateau", lr: 1, factor: 0.5, patience: 1, every: 3, minLr: 1e-6 },
    });
    const { lr } = trained(spec, { curvature: 0 });
    assert.deepEqual(lr, [1, 1, 1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25]);
    // Doubling: losses 0.5, 2 | 8, 32 | 128, 512 with means 1.25, 20, 320.
    const worse = specOf({
      steps: 6,
      schedule: { type: "reduce-on-plateau", lr: 3, factor: 0.5, patience: 5, every: 2, minLr: 1e-6 },
    });
    const { state } = trained(worse, DOUBLING);
    const { best, bad } = state!.policy as { best: number; bad: number };
    assert.deepEqual([best, bad, state!.lossSum], [1.25, 2, 0]);
  });

  test("a schedule that cycles momentum reaches the engine", () => {
    const spec = specOf({ steps: 40, schedule: "OneCycleLR" });
    const still = trained(specOf({ steps: 40, schedule: { type: "constant", lr: 0.1 } }));
    const { lr, bytes } = trained(spec);
    const engine = new ToyEngine();
    engine.steps({ lr: Float64Array.from(lr) }, new Float32Array(40));
    assert.notDeepEqual(bytes, [...engine.readState()]);
    assert.notDeepEqual(bytes, still.bytes);
  });
});

describe("train: forks", () => {
  const parent = specOf({
    steps: 20,
    schedule: { type: "linear", start: 0.2, end: 0, steps: 20 },
    checkpointEvery: 8,
    stopOnDivergence: true,
  });

  /** The state and engine of `parent` after step 8. */
  function atFork(): { state: LoopState; engine: ToyEngine } {
    const engine = new ToyEngine(NOISY);
    for (const progress of train(parent, engine, null, AT_ONCE()))
      if (progress?.state.step === 8) return { state: progress.state, engine };
    throw new Error("no chunk ended at 8");
  }

  test("one that changes nothing gives the rest of the other run", () => {
    const { state, engine } = atFork();
    const spec: RunSpec = { ...parent, from: { run: "run_a", step: 8, scheduleFrom: 0 } };
    const fork = traceOf(train(spec, engine, forkedState(spec, parent, state), STEP_BY_STEP()), engine);
    const whole = trained(parent, NOISY);
    assert.deepEqual([fork.lr, fork.loss], [whole.lr.slice(8), whole.loss.slice(8)]);
    assert.deepEqual([fork.bytes, fork.state], [whole.bytes, whole.state]);
  });

  test("a schedule of its own begins at the fork, with its policy and what it observes", () => {
    const { state } = atFork();
    const flat = new ToyEngine({ curvature: 0 });
    const schedule = { type: "reduce-on-plateau", lr: 0.1, factor: 0.5, patience: 0, every: 3, minLr: 1e-6 } as const;
    const spec: RunSpec = {
      ...specOf({ steps: 20, schedule }),
      from: { run: "run_a", step: 8, scheduleFrom: 8 },
    };
    const begun = forkedState(spec, parent, state);
    assert.deepEqual([begun.step, begun.lossSum, begun.divergence.best], [8, 0, null]);
    // Losses of 0, looked at after 3, 6, 9 and 12 steps of the fork: none is better than the first.
    const { lr } = traceOf(train(spec, flat, begun, AT_ONCE()), flat);
    assert.deepEqual(lr, [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025]);
  });

  test("another divergence rule begins anew", () => {
    const { state } = atFork();
    const spec: RunSpec = {
      ...parent,
      stopOnDivergence: { factor: 9, smoothing: 0.5 },
      from: { run: "run_a", step: 8, scheduleFrom: 0 },
    };
    assert.notEqual(state.divergence.best, null);
    assert.equal(forkedState(spec, parent, state).divergence.best, null);
    const same: RunSpec = { ...spec, stopOnDivergence: parent.stopOnDivergence };
    assert.deepEqual(forkedState(same, parent, state).divergence, state.divergence);
  });
});
