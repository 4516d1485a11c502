import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Engine, EngineOptions } from "../../src/core/engine.js";
import { readEngineState } from "../../src/core/engine-state.js";
import { atOnce } from "../../src/core/evaluation.js";
import { tensors } from "../../src/core/model.js";
import { drawBatch } from "../../src/core/rng.js";
import { createReference } from "../../src/engine/reference.js";
import { type GoldenRun, golden, ofEveryType, picked, problem, SGD, type Shape } from "./problem.js";

/** How far an engine of some precision may be from the f64 golden values: |got - want| <= atol + rtol * |want|. */
export interface Tolerances {
  /** One gradient. */
  readonly gradient: Tolerance;
  /** Losses and parameters after up to 30 steps. */
  readonly short: Tolerance;
  /** After 1,000 steps. */
  readonly long: Tolerance;
}
interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** Parameters are read as f32, so even f64 is compared to f32's rounding. */
export const F64: Tolerances = {
  gradient: { rtol: 2e-7, atol: 1e-10 },
  short: { rtol: 2e-7, atol: 1e-8 },
  long: { rtol: 2e-7, atol: 1e-8 },
};
export const F32: Tolerances = {
  gradient: { rtol: 1e-4, atol: 1e-6 },
  short: { rtol: 1e-4, atol: 5e-5 },
  long: { rtol: 1e-3, atol: 1e-3 },
};

export type Create = (options: EngineOptions) => Engine | Promise<Engine>;

const MIXED: Shape = {
  hiddenSizes: [17, 5],
  activation: "tanh",
  vocabSize: 27,
  contextLength: 3,
  embeddingDim: 5,
  examples: 129,
};
const RULES = ofEveryType([
  SGD,
  { ...SGD, momentum: 0.9, nesterov: true, weightDecay: 0.01 },
  { type: "adam", beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 },
  { type: "adamw", beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 },
  { type: "rmsprop", alpha: 0.99, eps: 1e-8, momentum: 0.5, centered: true, weightDecay: 0 },
]);

/** Declares the tests that every engine passes unchanged. */
export function conformance(name: string, create: Create, tolerances: Tolerances): void {
  const using = async <T>(options: EngineOptions, body: (engine: Engine) => T): Promise<T> => {
    const engine = await create(options);
    try {
      return body(engine);
    } finally {
      engine.dispose();
    }
  };

  describe(`engine ${name}`, () => {
    for (const { loss, gradient, ...shape } of golden.gradients) {
      test(`gradient of every tensor is PyTorch's: ${describeShape(shape)}`, async () => {
        const options = problem(shape);
        const got = await using(options, (engine) => gradientOf(engine, options));
        close([got.loss], [loss], tolerances.short, "loss");
        for (const { name: tensor, offset, size } of tensors(options.model, options.vocabSize)) {
          const [part, want] = [got.gradient.slice(offset, offset + size), gradient.slice(offset, offset + size)];
          close(part, want, tolerances.gradient, tensor);
        }
      });
    }

    test("gradient is the slope of the loss, by finite differences", async () => {
      const options = problem({ ...MIXED, examples: 20 });
      const { gradient } = await using(options, (engine) => gradientOf(engine, options));
      const h = 2 ** -9;
      for (let i = 0; i < gradient.length; i += 7) {
        const at = (change: number) => {
          const parameters = options.parameters.slice();
          parameters[i]! += change;
          return atOnce(createReference({ ...options, parameters }).evaluation("train"));
        };
        close([gradient[i]!], [(at(h) - at(-h)) / (2 * h)], { rtol: 1e-3, atol: 1e-5 }, `parameter ${i}`);
      }
    });

    for (const run of golden.trajectories) {
      test(`${run.steps} full-batch steps follow PyTorch: ${describeShape(run)}`, () =>
        follows(run, run.steps > 100 ? tolerances.long : tolerances.short));
    }
    for (const run of golden.optimizers) {
      const { type, ...parameters } = run.optimizer;
      const cycled = run.cycle === null ? "" : ` cycled ${run.cycle}`;
      test(`${type} ${JSON.stringify(parameters)}${cycled} follows PyTorch`, () => follows(run, tolerances.short));
    }
    async function follows(run: GoldenRun, tolerance: Tolerance): Promise<void> {
      const { optimizer, steps, every, cycle } = run;
      const lr = Float64Array.from({ length: steps }, (_, i) => run.lr / (1 + (i % 3)));
      const momentum = cycle === null ? undefined : Float64Array.from(lr, (_, i) => cycle[i % cycle.length]!);
      await using(problem(run, { optimizer }), (engine) => {
        const loss = new Float32Array(steps);
        assert.equal(engine.steps({ lr, momentum }, loss), steps);
        assert.equal(engine.step, steps);
        close(
          [...loss].filter((_, i) => i % every === 0),
          run.losses,
          tolerance,
          "losses",
        );
        close([...engine.readParameters()], run.parameters, tolerance, "parameters");
      });
    }

    for (const batchSize of [1, 3, 5, 17, 129]) {
      test(`a step on ${batchSize} uses the drawn examples, each as often as drawn`, async () => {
        const options = problem(MIXED, { batchSize });
        const indices = new Uint32Array(batchSize);
        const train = options.splits.train;
        drawBatch(indices, batchSize, train.count, options.seed, 0);
        const drawn = { ...options, batchSize: "full" as const };
        const want = gradientOf(
          createReference({ ...drawn, splits: { ...options.splits, train: picked(train, indices) } }),
          options,
        );
        const got = await using(options, (engine) => gradientOf(engine, options));
        close([got.loss], [want.loss], tolerances.short, "loss");
        close(got.gradient, want.gradient, tolerances.gradient, "gradient");
      });
    }

    test("odd widths, small and large batches stay with the reference for 20 steps", async () => {
      for (const width of [1, 3, 5, 17, 129]) {
        for (const batchSize of [1, 33, "full"] as const) {
          const shape = { ...MIXED, hiddenSizes: [width], embeddingDim: width === 129 ? 1 : width, examples: 50 };
          const options = problem(shape, { batchSize });
          const want = train(createReference(options), 20);
          const got = await using(options, (engine) => train(engine, 20));
          close(got.loss, want.loss, tolerances.short, `losses, width ${width}, batch ${batchSize}`);
          close(got.parameters, want.parameters, tolerances.short, `parameters, width ${width}, batch ${batchSize}`);
        }
      }
    });

    test("alphabets of 2, of 255 and of all 256 symbols stay with the reference for 20 steps", async () => {
      for (const vocabSize of [2, 255, 256]) {
        const options = problem({ ...MIXED, vocabSize, examples: 600 }, { batchSize: 33 });
        const want = train(createReference(options), 20);
        const got = await using(options, (engine) => train(engine, 20));
        close(got.loss, want.loss, tolerances.short, `losses, ${vocabSize} symbols`);
        close(got.parameters, want.parameters, tolerances.short, `parameters, ${vocabSize} symbols`);
      }
    });

    test("an evaluation is the mean over a split, and NaN for an empty one", async () => {
      const options = problem(MIXED);
      const reference = createReference(options);
      await using(options, (engine) => {
        for (const split of ["train", "validation"] as const) {
          close([atOnce(engine.evaluation(split))], [atOnce(reference.evaluation(split))], tolerances.short, split);
        }
        const pieces = engine.evaluation("train");
        let piece = pieces.next();
        assert.ok(!piece.done, "there is a pause to be had");
        while (!piece.done) piece = pieces.next();
        assert.equal(piece.value, atOnce(engine.evaluation("train")));
        assert.ok(Number.isNaN(atOnce(engine.evaluation("test"))));
        assert.equal(engine.step, 0);
      });
    });

    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      test(`a parameter that is ${bad} ends the chunk at its first step, unapplied`, async () => {
        const options = problem(MIXED);
        const parameters = options.parameters.slice();
        parameters[parameters.length - 1] = bad;
        await using({ ...options, parameters }, (engine) => {
          const loss = new Float32Array(5).fill(7);
          assert.equal(engine.steps({ lr: new Float64Array(5).fill(0.1) }, loss), 1);
          assert.ok(!Number.isFinite(loss[0]));
          assert.deepEqual([...loss.subarray(1)], [7, 7, 7, 7]);
          assert.equal(engine.step, 0);
          assert.deepEqual(engine.readParameters(), parameters);
        });
      });
    }

    test("divergence in mid-chunk writes the bad loss and keeps the parameters before it", async () => {
      await using(problem(MIXED), (engine) => {
        const loss = new Float32Array(6);
        const lr = Float64Array.from([0.1, 0.1, Number.NaN, 0.1, 0.1, 0.1]);
        assert.equal(engine.steps({ lr }, loss), 4);
        assert.ok(Number.isFinite(loss[2]) && Number.isNaN(loss[3]));
        assert.equal(engine.step, 3);
      });
    });

    test("two instances give equal bytes, even when they take turns", async () => {
      const options = problem(MIXED, { batchSize: 17 });
      const [a, b] = [await create(options), await create(options)];
      const runs = [0, 1, 2].map(() => [train(a, 10), train(b, 10)] as const);
      for (const [left, right] of runs) assert.deepEqual(left, right);
      assert.deepEqual(a.readState(), b.readState());
      a.dispose();
      b.dispose();
    });

    for (const optimizer of RULES) {
      test(`${optimizer.type}: chunks and checkpoints change no bit`, async () => {
        const options = problem(MIXED, { batchSize: 17, optimizer });
        const whole = await using(options, (engine) => [train(engine, 60), engine.readState()]);
        let engine = await create(options);
        const loss: number[] = [];
        for (const size of [1, 2, 13, 1, 7, 30, 6]) {
          loss.push(...train(engine, size).loss);
          const state = engine.readState();
          engine.dispose();
          // A new engine from other parameters: all that matters must be in the state.
          engine = await create({ ...options, parameters: options.parameters.map((p) => p / 2) });
          engine.writeState(state);
          assert.deepEqual(engine.readState(), state);
        }
        const parameters = [...engine.readParameters()];
        assert.deepEqual([{ loss, parameters }, engine.readState()], whole);
        assert.equal(engine.step, 60);
        engine.dispose();
      });
    }

    test("states and parameters are copies; a state of another size is refused", async () => {
      await using(problem(MIXED), (engine) => {
        const [state, parameters] = [engine.readState(), engine.readParameters()];
        const [stateBefore, parametersBefore] = [state.slice(), parameters.slice()];
        train(engine, 2);
        assert.deepEqual([state, parameters], [stateBefore, parametersBefore]);
        assert.throws(() => engine.writeState(state.subarray(1)), RangeError);
        // A state may lie at any offset of a larger buffer.
        const shifted = new Uint8Array(state.length + 3);
        shifted.set(state, 3);
        engine.writeState(shifted.subarray(3));
        assert.deepEqual(engine.readState(), state);
        assert.deepEqual(engine.readParameters(), parameters);
      });
    });

    test("a state begins with the step and the parameters, as engine-state.ts says", async () => {
      await using(problem(MIXED), (engine) => {
        train(engine, 3);
        const parameters = engine.readParameters();
        const state = readEngineState(engine.readState(), parameters.length);
        assert.equal(state.step, 3);
        assert.deepEqual(state.parameters, parameters);
      });
    });

    test("dispose may be repeated; any other call then throws", async () => {
      const engine = await create(problem(MIXED));
      const state = engine.readState();
      engine.dispose();
      engine.dispose();
      assert.throws(() => engine.steps({ lr: new Float64Array(1) }, new Float32Array(1)));
      assert.throws(() => engine.evaluation("train"));
      assert.throws(() => engine.readState());
      assert.throws(() => engine.writeState(state));
      assert.throws(() => engine.readParameters());
    });
  });
}

function train(engine: Engine, steps: number): { loss: number[]; parameters: number[] } {
  const loss = new Float32Array(steps);
  assert.equal(engine.steps({ lr: new Float64Array(steps).fill(0.05) }, loss), steps);
  return { loss: [...loss], parameters: [...engine.readParameters()] };
}

/** One plain step shows the gradient; a rate of 2^16 keeps it from drowning in the parameters' rounding. */
function gradientOf(engine: Engine, { parameters }: EngineOptions): { loss: number; gradient: number[] } {
  const lr = 2 ** 16;
  const loss = new Float32Array(1);
  engine.steps({ lr: Float64Array.of(lr) }, loss);
  const after = engine.readParameters();
  return { loss: loss[0]!, gradient: [...parameters].map((before, i) => (before - after[i]!) / lr) };
}

function close(got: readonly number[], want: readonly number[], { rtol, atol }: Tolerance, what: string): void {
  assert.equal(got.length, want.length, what);
  let worst = 0;
  let at = 0;
  for (const [i, value] of want.entries()) {
    const excess = Math.abs(got[i]! - value) / (atol + rtol * Math.abs(value));
    if (!(excess <= worst)) [worst, at] = [excess, i];
  }
  assert.ok(
    worst <= 1,
    `${what}[${at}]: got ${got[at]}, want ${want[at]}, ${worst.toPrecision(3)} times the tolerance`,
  );
}

function describeShape({ contextLength, embeddingDim, hiddenSizes, vocabSize, activation, examples }: Shape): string {
  return `${contextLength}x${embeddingDim} [${hiddenSizes}] ${vocabSize} ${activation}, ${examples} examples`;
}
