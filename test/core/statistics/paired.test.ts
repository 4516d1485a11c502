import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Rng } from "../../../src/core/rng.js";
import { compare, MOST_SEEDS } from "../../../src/core/statistics/paired.js";
import { mean, meanInterval, variance } from "../../../src/core/statistics/sample.js";
import { DEFAULT_CONFIDENCE } from "../../../src/schemas/experiment.js";

const ALONE = { alpha: 0.05, comparisons: 1 };
type Losses = (number | null)[];

test("mean and variance, by hand", () => {
  assert.equal(mean([1, 2, 6]), 3);
  assert.equal(variance([1, 2, 6]), 7);
  assert.ok(Number.isNaN(variance([1])));
  assert.equal(meanInterval([1], 0.05), null);
});

test("a paired difference, by hand: -1, -2, -3 has mean -2, standard error 1 / sqrt 3, t 4.303", () => {
  const compared = compare([9, 18, 27], [10, 20, 30], ALONE);
  assert.equal(compared.mean, -2);
  const half = 4.302652729749464 / Math.sqrt(3);
  assert.ok(Math.abs(compared.interval![0] - (-2 - half)) < 1e-12);
  assert.ok(Math.abs(compared.interval![1] - (-2 + half)) < 1e-12);
  // t = 2 sqrt 3; with two degrees of freedom p = 1 - t / sqrt(2 + t^2).
  assert.ok(Math.abs(compared.pValue - (1 - Math.sqrt(12 / 14))) < 1e-12);
  // 4.303 / sqrt 3 > 2: a tie; at 4 seeds 3.182 / 2 < 2: one more would do.
  assert.deepEqual([compared.verdict, compared.moreSeeds], ["tied", 1]);
  assert.equal(compare([9, 18, 27, 8], [10, 20, 30, 10], ALONE).verdict, "better");
  assert.equal(compare([10, 20, 30, 10], [9, 18, 27, 8], ALONE).verdict, "worse");
});

test("no number of seeds tells what looks alike apart, nor can one seed be judged", () => {
  assert.deepEqual(compare([1, 2, 3], [1, 2, 3], ALONE), {
    mean: 0,
    interval: [0, 0],
    pValue: 1,
    verdict: "tied",
    moreSeeds: null,
    diverged: { arm: 0, baseline: 0, both: 0 },
  });
  assert.equal(compare([1, 2, 3], [2, 1, 3], ALONE).moreSeeds, null);
  const faint = compare([1, 2.001], [1.1, 1.9], ALONE);
  assert.deepEqual([faint.verdict, faint.moreSeeds], ["tied", null]);
  const one = compare([1], [2], ALONE);
  assert.deepEqual([one.mean, one.interval, one.verdict, one.moreSeeds], [-1, null, "tied", null]);
  const none = compare([null], [null], ALONE);
  assert.deepEqual([none.mean, none.interval, none.verdict, none.pValue], [null, null, "tied", 1]);
  assert.throws(() => compare([1], [1, 2], ALONE), RangeError);
});

test("divergences decide by sign; without one that only one arm had, the mean does", () => {
  const eight = Array.from({ length: 8 }, (_, i) => i);
  // Worse in 8 of 8, once by diverging: 2 / 2^8.
  const once = compare([null, ...eight.slice(1).map((i) => i + 1)], eight, ALONE);
  assert.deepEqual([once.verdict, once.interval, once.pValue, once.mean], ["worse", null, 2 / 256, 1]);
  assert.deepEqual(once.diverged, { arm: 1, baseline: 0, both: 0 });
  // One divergence is no evidence, whatever the others: 7 of 8 signs are p 0.07.
  const better = compare([null, ...eight.slice(1).map((i) => i - 1)], eight, ALONE);
  assert.deepEqual([better.verdict, better.pValue], ["tied", 18 / 256]);
  // Both diverged: as if that seed had not been.
  const both = compare([null, 9, 18, 27, 8], [null, 10, 20, 30, 10], ALONE);
  assert.deepEqual([both.mean, both.verdict, both.diverged.both], [-2, "better", 1]);
});

test("always against never diverging is told apart among many arms: 2 / 4^5 with five seeds", () => {
  const five = [1, 2, 3, 4, 5];
  const never = compare(
    five.map(() => null),
    five,
    { alpha: 0.05, comparisons: 25 },
  );
  assert.deepEqual([never.verdict, never.pValue], ["worse", (25 * 2) / 1024]);
  const more = compare(
    five.map(() => null),
    five,
    { alpha: 0.05, comparisons: 26 },
  );
  assert.deepEqual([more.verdict, more.moreSeeds], ["tied", 1]);
});

const loss = fc.integer({ min: 0, max: 1 << 20 }).map((i) => i / (1 << 16));
const pairs = fc.array(
  fc.record({ arm: fc.option(loss, { freq: 8 }), baseline: fc.option(loss, { freq: 8 }), at: fc.nat() }),
  { minLength: 1, maxLength: 20 },
);
/** Making a failing example small could take very long. */
const LIMIT = { interruptAfterTimeLimit: 30_000 };
const of = (rows: readonly { arm: number | null; baseline: number | null }[], comparisons = 3) =>
  compare(
    rows.map((row) => row.arm),
    rows.map((row) => row.baseline),
    { alpha: 0.05, comparisons },
  );

test("the order of seeds changes nothing, nor does what both arms gain", () => {
  fc.assert(
    fc.property(pairs, fc.integer({ min: -100, max: 100 }), (rows, constant) => {
      const compared = of(rows);
      assert.deepEqual(of(rows.toSorted((a, b) => a.at - b.at)), compared);
      const moved = (value: number | null) => (value === null ? null : value + constant);
      assert.deepEqual(of(rows.map(({ arm, baseline }) => ({ arm: moved(arm), baseline: moved(baseline) }))), compared);
    }),
    LIMIT,
  );
});

test("an arm against itself is tied, two arms swapped give the opposite, and verdict, interval and p agree", () => {
  const opposite = { better: "worse", worse: "better", tied: "tied" };
  fc.assert(
    fc.property(pairs, (rows) => {
      assert.equal(of(rows.map(({ arm }) => ({ arm, baseline: arm }))).verdict, "tied");
      const { verdict, interval, mean: difference, pValue, moreSeeds } = of(rows);
      const swapped = of(rows.map(({ arm, baseline }) => ({ arm: baseline, baseline: arm })));
      assert.equal(swapped.verdict, opposite[verdict]);
      assert.equal(swapped.pValue, pValue);
      assert.equal(swapped.moreSeeds, moreSeeds);
      if (interval !== null) {
        assert.equal(verdict === "tied", interval[0] <= 0 && interval[1] >= 0);
        assert.equal(verdict === "better", difference !== null && difference < 0 && verdict !== "tied");
      }
      if (Math.abs(pValue - 0.05) > 1e-12) assert.equal(verdict === "tied", pValue > 0.05);
      assert.ok(moreSeeds === null || (moreSeeds > 0 && moreSeeds < MOST_SEEDS));
    }),
    LIMIT,
  );
});

test("more comparisons widen the interval", () => {
  const rows = [1, 2, 4, 8].map((arm) => ({ arm, baseline: 1 }));
  const widths = [1, 2, 10].map((comparisons) => of(rows, comparisons).interval!).map(([low, high]) => high - low);
  assert.deepEqual(
    widths,
    widths.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(widths).size, 3);
});

/** What a trial adds to its seed's share of the loss. */
const NOISES: Readonly<Record<string, (rng: Rng) => number>> = {
  normal: (rng) => rng.normal(),
  // Student's t with 3 degrees of freedom.
  "heavy tails": (rng) => rng.normal() / Math.sqrt((rng.normal() ** 2 + rng.normal() ** 2 + rng.normal() ** 2) / 3),
  skewed: (rng) => Math.exp(rng.normal()),
};

const REPETITIONS = 2000;
/** Of an event with that probability, four standard errors above: passed once in 30,000 by chance. */
const most = (share: number) => share + 4 * Math.sqrt((share * (1 - share)) / REPETITIONS);
const MOST = most(0.05);

interface Alarms {
  readonly diverging?: number;
  readonly seeds?: number;
  readonly alpha?: number;
  readonly paired?: boolean;
}

/** By repetition of an A/A experiment: is any arm told apart from the baseline? */
function alarms(
  arms: number,
  noise: (rng: Rng) => number,
  { diverging = 0, seeds = 8, alpha = 0.05, paired = true }: Alarms = {},
): boolean[] {
  return Array.from({ length: REPETITIONS }, (_, repetition) => {
    const rng = new Rng(repetition, 9);
    const shared = Array.from({ length: seeds }, () => 3 * rng.normal());
    const train = (): Losses =>
      shared.map((common) => (rng.uniform() < diverging ? null : 2.3 + 0.01 * ((paired ? common : 0) + noise(rng))));
    const [baseline, ...others] = Array.from({ length: arms }, train);
    return others.some(
      (arm) => compare(arm, baseline!, { alpha, comparisons: others.length, paired }).verdict !== "tied",
    );
  });
}

const falseAlarms = (...args: Parameters<typeof alarms>) => alarms(...args).filter(Boolean).length / REPETITIONS;

for (const [name, noise] of Object.entries(NOISES)) {
  for (const arms of [2, 6]) {
    test(`A/A, ${name}, ${arms} arms: at most 5 % call a difference`, () => {
      const share = falseAlarms(arms, noise);
      assert.ok(share <= MOST, `${share}`);
      // A test that never calls anything would not do: with two arms and normal losses it is 5 %.
      if (arms === 2 && name === "normal") assert.ok(share >= 0.1 - MOST, `${share}`);
    });
  }
}

for (const diverging of [0.1, 0.5, 0.9]) {
  test(`A/A where ${diverging * 100} % diverge: at most 5 % call a difference`, () => {
    for (const seeds of [3, 8]) {
      const share = falseAlarms(4, NOISES.normal!, { diverging, seeds });
      assert.ok(share <= MOST, `${seeds} seeds: ${share}`);
    }
  });
}

for (const paired of [true, false]) {
  test(`A/A ${paired ? "" : "on other seeds "}at the default confidence: of 200 experiments at most 10 call a difference`, () => {
    const alpha = 1 - DEFAULT_CONFIDENCE;
    for (const arms of [2, 6]) {
      const called = alarms(arms, NOISES.normal!, { alpha, paired });
      const share = called.filter(Boolean).length / REPETITIONS;
      assert.ok(share <= most(alpha), `${share}`);
      if (arms === 2) assert.ok(share >= 2 * alpha - most(alpha), `${share}`);
      for (let from = 0; from < REPETITIONS; from += 200) {
        assert.ok(called.slice(from, from + 200).filter(Boolean).length <= 10, `${arms} arms, from ${from}`);
      }
    }
    for (const diverging of [0.1, 0.5]) {
      const share = falseAlarms(4, NOISES.normal!, { diverging, alpha, paired });
      assert.ok(share <= most(alpha), `${diverging}: ${share}`);
    }
  });
}

test("the intervals hold the true differences, all of them in 95 % of repetitions", () => {
  let missed = 0;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const rng = new Rng(repetition, 10);
    const arms = [0, 1, 2, -1].map((shift) => Array.from({ length: 6 }, () => shift + rng.normal()));
    const covers = [1, 2, -1].every((shift, i) => {
      const [low, high] = compare(arms[i + 1]!, arms[0]!, { alpha: 0.05, comparisons: 3 }).interval!;
      return low <= shift && shift <= high;
    });
    if (!covers) missed++;
  }
  assert.ok(missed / REPETITIONS <= MOST, `${missed}`);
});

test("as many more seeds as said tell a difference apart about every second time", () => {
  let called = 0;
  let asked = 0;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const rng = new Rng(repetition, 11);
    const draw = (count: number) => Array.from({ length: count }, () => 0.6 + rng.normal());
    const first = draw(8);
    const zeros = (count: number) => new Array<number>(count).fill(0);
    const { verdict, moreSeeds } = compare(first, zeros(8), ALONE);
    // Estimates near the truth, whose advice is then about right.
    if (verdict !== "tied" || moreSeeds === null || Math.abs(mean(first) - 0.6) > 0.05) continue;
    if (Math.abs(variance(first) - 1) > 0.3) continue;
    asked++;
    if (compare(draw(8 + moreSeeds), zeros(8 + moreSeeds), ALONE).verdict !== "tied") called++;
  }
  assert.ok(asked > 30, `${asked}`);
  assert.ok(called / asked > 0.3 && called / asked < 0.8, `${called} of ${asked}`);
});
