import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resolveSchedule } from "../../../src/core/schedules/resolve.js";
import type { ScheduleRequest, ScheduleSpec } from "../../../src/schemas/schedule.js";

/** A case of test/golden/schedules-*.json, written from the real libraries by schedules.py. */
export interface GoldenCase {
  readonly spec: ScheduleRequest & { readonly type: string };
  /** Steps sampled; absent for metric-driven types. */
  readonly at?: readonly number[];
  readonly lr: readonly number[];
  readonly momentum?: readonly number[];
  /** Observations; lr[i] is then the rate after the i-th. */
  readonly losses?: readonly number[];
}

/** GOLDEN_DIR names another folder: that of full curves written by `schedules.py <folder>`. */
export function goldenCases(library: "pytorch" | "hugging-face" | "optax"): GoldenCase[] {
  const folder = process.env.GOLDEN_DIR ?? join(process.cwd(), "test/golden");
  const file = JSON.parse(readFileSync(join(folder, `schedules-${library}.json`), "utf8"));
  return (file as { cases: GoldenCase[] }).cases;
}

export function resolved(request: ScheduleRequest, steps = 2100): ScheduleSpec {
  const result = resolveSchedule(request, { steps, lrRange: [0.001, 0.1] });
  if (!result.ok) throw new Error(`${JSON.stringify(request)}: ${JSON.stringify(result.errors)}`);
  return result.value;
}

/** Numbers below 2.2e-308 carry fewer than 53 bits: a few units of the last place they have. */
const SUBNORMAL = 1e-321;

/**
 * Largest relative error. A library that ends a line a rounding error above 0 (up to one unit in the last place of the
 * curve's peak) is taken to mean the 0 that the closed form gives.
 */
export function largestError(actual: readonly number[], expected: readonly number[]): { error: number; at: number } {
  const nothing = 2 ** -52 * Math.max(...expected.map(Math.abs));
  const largest = { error: 0, at: -1 };
  expected.forEach((value, i) => {
    const difference = Math.abs(actual[i]! - value);
    const zero = difference <= SUBNORMAL || (actual[i] === 0 && difference <= nothing);
    const error = zero ? 0 : difference / Math.abs(value);
    if (!(error <= largest.error)) Object.assign(largest, { error, at: i });
  });
  return largest;
}
