import assert from "node:assert/strict";
import { test } from "node:test";
import Ajv from "ajv";
import fc from "fast-check";
import { type Outcome, reportExperiment } from "../../../src/core/experiment/report.js";
import { ArmRequestSchema, type ExperimentReport, ExperimentReportSchema } from "../../../src/schemas/experiment.js";
import { ScheduleRequestDefinition } from "../../../src/schemas/schedule.js";

const ajv = new Ajv.default({ strict: false, discriminator: true });
ajv.addSchema(ScheduleRequestDefinition).addSchema(ArmRequestSchema);
const valid = ajv.compile(ExperimentReportSchema);

function report(
  losses: readonly (readonly Outcome[])[],
  { baseline = 0, confidence = 0.95, seeds = losses[0]!.map((_, i) => i), offsets = [] as readonly number[] } = {},
): ExperimentReport {
  const arms = losses.map((_, arm) => ({
    name: `arm ${arm}`,
    request: { steps: arm + 1 },
    seedOffset: offsets[arm] ?? 0,
    runs: seeds.map((seed) => `run ${arm}/${seed}`),
  }));
  const found = reportExperiment(arms, losses, { seeds, baseline, confidence, stepsUsed: 7 });
  assert.ok(valid(JSON.parse(JSON.stringify(found))), JSON.stringify(valid.errors));
  return found;
}

const texts = ({ arms }: ExperimentReport) => arms.map(({ difference }) => difference?.text ?? null);

test("two arms, by hand", () => {
  const found = report([
    [10, 20, 30, 10],
    [9, 18, 27, 8],
  ]);
  // Differences -1 -2 -3 -2: mean -2, deviation sqrt(2/3), t 3.1824 over sqrt 4.
  const half = (3.182446305284263 * Math.sqrt(2 / 3)) / 2;
  const { difference, mean, interval } = found.arms[1]!;
  assert.equal(difference!.mean, -2);
  assert.ok(Math.abs(difference!.interval![1] - (-2 + half)) < 1e-12);
  assert.equal(difference!.text, "better by 2.0 +- 1.3");
  assert.equal(mean, 15.5);
  assert.ok(interval![0] < 15.5 && interval![1] > 15.5);
  assert.equal(found.arms[0]!.difference, null);
  assert.deepEqual([found.best, found.ties, found.complete, found.stepsUsed], [1, [], true, 7]);
  assert.equal(
    report([[9, 18, 27, 8].map((v) => v / 1000), [10, 20, 30, 10].map((v) => v / 1000)]).arms[1]!.difference!.text,
    "worse by 0.0020 +- 0.0013",
  );
});

test("verdicts in words", () => {
  const three = [10, 20, 30];
  assert.deepEqual(texts(report([three, [9, 18, 27]])), [null, "cannot be told apart: 1 more seed would do"]);
  assert.deepEqual(texts(report([three, three])), [null, "the same loss with every seed"]);
  assert.deepEqual(texts(report([three, [20, 10, 30]])), [null, "cannot be told apart, not with 1,000 seeds either"]);
  assert.deepEqual(texts(report([[1], [2]])), [null, "cannot be told apart: too few seeds"]);
  assert.deepEqual(texts(report([[null], [null]])), [null, "cannot be told apart: both diverged with every seed"]);
  assert.deepEqual(texts(report([[undefined], [1]])), [null, "cannot be told apart: too few seeds"]);
  assert.deepEqual(texts(report([three, [null, null, null]])), [
    null,
    "worse seed by seed: diverged in 3 of 3, the baseline in 0",
  ]);
  // scipy.stats.binomtest: 28 of 42 has p 0.044, 27 of 41 has 0.060.
  assert.deepEqual(texts(report([three, [null, 9, 8]])), [null, "cannot be told apart: 39 more seeds would do"]);
});

test("the best arm diverges least often and then has the lowest mean; the others of its set are ties", () => {
  const found = report([
    [5, 6, 7, 8, 9],
    [1, 2, 3, 4, 5],
    [0, 0, 0, 0, null],
    [1.01, 2, 3.01, 3.99, 5.02],
    [null, null, null, null, null],
  ]);
  assert.equal(found.best, 1);
  assert.deepEqual(found.ties, [2, 3]);
  assert.deepEqual(
    found.arms.map(({ diverged }) => diverged),
    [0, 0, 1, 0, 5],
  );
  assert.deepEqual([found.arms[4]!.mean, found.arms[2]!.mean], [null, 0]);
  assert.equal(report([[null], [null]]).best, null);
});

test("more arms make a difference harder to call", () => {
  const base = [0, 0, 0, 0];
  const arm = [-1, -2, -3, -2];
  const verdicts = [2, 40].map(
    (arms) => report([base, arm, ...Array(arms - 2).fill(base)]).arms[1]!.difference!.verdict,
  );
  assert.deepEqual(verdicts, ["better", "tied"]);
});

test("an arm with seeds of its own is not paired, and its interval is Welch's", () => {
  const losses = [
    [1, 2, 3, 4],
    [0.9, 1.9, 2.9, 3.9],
    [0.9, 1.9, 2.9, 3.9],
  ];
  const { arms, ties, best } = report(losses, { offsets: [0, 0, 4] });
  // All differences are -0.1 of a seed's share of 1; without pairing nothing is to be seen of them.
  assert.equal(arms[1]!.difference!.verdict, "better");
  assert.equal(arms[2]!.difference!.verdict, "tied");
  assert.equal(arms[2]!.seedOffset, 4);
  assert.deepEqual([best, ties], [1, [2]]);
});

test("only seeds that every arm has finished count", () => {
  const partial = report(
    [
      [1, 2, undefined, 4],
      [2, Number.NaN, 3, 5],
    ],
    { seeds: [8, 3, 1, 5] },
  );
  assert.deepEqual([partial.seeds, partial.complete], [[3, 5, 8], false]);
  assert.deepEqual(partial.arms[1]!.losses, [null, 5, 2]);
  assert.deepEqual(partial.arms[1]!.runs, ["run 1/3", "run 1/5", "run 1/8"]);
});

const loss = fc.option(
  fc.integer({ min: 0, max: 4096 }).map((i) => i / 1024),
  { freq: 10 },
);
const matrix = fc
  .record({ arms: fc.integer({ min: 2, max: 5 }), seeds: fc.integer({ min: 1, max: 10 }) })
  .chain(({ arms, seeds }) =>
    fc.array(fc.array(loss, { minLength: seeds, maxLength: seeds }), { minLength: arms, maxLength: arms }),
  );

test("the order of seeds changes nothing, to the byte", () => {
  fc.assert(
    fc.property(matrix, fc.integer(), (losses, salt) => {
      const order = losses[0]!.map((_, i) => i).toSorted((a, b) => ((a * 7919 + salt) % 11) - ((b * 7919 + salt) % 11));
      const permuted = report(
        losses.map((row) => order.map((i) => row[i])),
        { seeds: order },
      );
      assert.equal(JSON.stringify(permuted), JSON.stringify(report(losses)));
    }),
    { interruptAfterTimeLimit: 30_000 },
  );
});

test("what all arms gain changes no verdict; an arm like the baseline is tied with it", () => {
  fc.assert(
    fc.property(matrix, fc.integer({ min: -50, max: 50 }), (losses, constant) => {
      const found = report([...losses, losses[0]!]);
      const moved = report(
        [...losses, losses[0]!].map((row) => row.map((value) => (value === null ? null : value + constant))),
      );
      assert.deepEqual(
        moved.arms.map(({ difference }) => difference),
        found.arms.map(({ difference }) => difference),
      );
      assert.deepEqual([moved.best, moved.ties], [found.best, found.ties]);
      assert.equal(found.arms.at(-1)!.difference!.verdict, "tied");
    }),
    { interruptAfterTimeLimit: 30_000 },
  );
});
