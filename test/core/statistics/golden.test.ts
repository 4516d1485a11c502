import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compare } from "../../../src/core/statistics/paired.js";
import { signTest } from "../../../src/core/statistics/sign-test.js";
import { tCdf, tCritical, tQuantile, tTail } from "../../../src/core/statistics/student-t.js";

interface Golden {
  /** [t, degrees, P(T > t)] */
  readonly tails: readonly (readonly [number, number, number])[];
  /** [alpha, degrees, t] with P(|T| > t) = alpha */
  readonly criticals: readonly (readonly [number, number, number])[];
  /** [successes, coins, two-sided p] */
  readonly signs: readonly (readonly [number, number, number])[];
  readonly paired: readonly GoldenComparison[];
  /** By Welch's test, without pairing. */
  readonly welch: readonly GoldenComparison[];
}
interface GoldenComparison {
  readonly baseline: readonly number[];
  readonly arm: readonly number[];
  readonly confidence: number;
  readonly mean: number;
  readonly interval: readonly [number, number];
  readonly p: number;
}
const golden: Golden = JSON.parse(
  readFileSync(new URL("../../../../test/golden/hypothesis-tests.json", import.meta.url), "utf8"),
);

function close(actual: number, expected: number, relative: number, about: string) {
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${about}: ${actual}, not ${expected}`);
}

test("tails of Student's t are mpmath's, far out as well", () => {
  for (const [t, degrees, tail] of golden.tails) {
    close(tTail(t, degrees), tail, 1e-10, `P(T > ${t}), ${degrees} degrees`);
    close(tCdf(-t, degrees), tail, 1e-10, `P(T <= -${t}), ${degrees} degrees`);
    close(tCdf(t, degrees), 1 - tail, 1e-10, `P(T <= ${t}), ${degrees} degrees`);
  }
  assert.equal(tCdf(0, 7), 0.5);
  assert.equal(tTail(Number.POSITIVE_INFINITY, 7), 0);
  assert.equal(tTail(Number.NEGATIVE_INFINITY, 7), 1);
});

test("critical values of Student's t are mpmath's", () => {
  for (const [alpha, degrees, t] of golden.criticals) {
    close(tCritical(alpha, degrees), t, 1e-10, `alpha ${alpha}, ${degrees} degrees`);
    close(tQuantile(alpha / 2, degrees), -t, 1e-10, `quantile ${alpha / 2}, ${degrees} degrees`);
    // 1 - p has lost digits of a small alpha.
    if (alpha >= 1e-3) close(tQuantile(1 - alpha / 2, degrees), t, 1e-10, `quantile 1 - ${alpha / 2}, ${degrees}`);
  }
  assert.equal(tQuantile(0.5, 3), 0);
});

test("what is no probability or no number of degrees is refused", () => {
  for (const p of [0, 1, -0.1, Number.NaN]) assert.throws(() => tQuantile(p, 3), RangeError);
  for (const alpha of [0, 1.1, Number.NaN]) assert.throws(() => tCritical(alpha, 3), RangeError);
  for (const degrees of [0, -1, Number.NaN]) assert.throws(() => tTail(1, degrees), RangeError);
});

test("the sign test is scipy's", () => {
  for (const [wins, count, p] of golden.signs) close(signTest(wins, count), p, 1e-9, `${wins} of ${count}`);
  assert.equal(signTest(0, 0), 1);
});

test("a paired comparison is scipy's paired t test, any other Welch's", () => {
  const cases = [true, false].flatMap((paired) =>
    golden[paired ? "paired" : "welch"].map((values) => ({ paired, ...values })),
  );
  for (const { paired, arm, baseline, confidence, mean, interval, p } of cases) {
    const compared = compare(arm, baseline, { alpha: 1 - confidence, comparisons: 1, paired });
    close(compared.mean!, mean, 1e-12, "mean");
    close(compared.interval![0], interval[0], 1e-9, "low end");
    close(compared.interval![1], interval[1], 1e-9, "high end");
    close(compared.pValue, p, 1e-9, "p");
  }
});
