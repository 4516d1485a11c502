import { setImmediate } from "node:timers/promises";
import { type Series, SeriesAccumulator, type SeriesOptions } from "../../core/series.js";
import { emaValue, initEma, nextEma } from "../../core/smoothing.js";
import type { EvalPoint } from "../../schemas/metrics.js";
import { ProblemError } from "../../schemas/problem.js";
import type { MetricsReader, RunRecord } from "../../store/contract.js";
import type { Point } from "./plot.js";

/** Steps after which a long reading lets others in. */
const BREATH = 5000;

export interface ReadingOptions {
  /** Buckets at most: about one a pixel. */
  readonly points: number;
  readonly x: "step" | "lr";
  readonly y: "loss" | "lr";
  readonly transform: "none" | "log10";
  /** Decay of the debiased average, or steps a mean is taken over. */
  readonly smooth: { readonly decay: number } | { readonly window: number };
}

/** What is drawn of one run's steps; memory is O(points), whatever the run's length. */
export interface Reading {
  /** Lowest and highest of each bucket, in order: every spike survives. */
  readonly raw: Point[];
  readonly smooth: Point[];
  /** Validation losses; of several in a bucket the last. */
  readonly evals: Point[];
  /** Rate of the step that was asked for; null: it is not stored. */
  readonly lrAt: number | null;
}

/** One pass over a run's stored steps. `step`: whose rate is wanted. A conflict when there is no step yet. */
export async function readRun(
  metrics: MetricsReader,
  { id, spec, committed }: RunRecord,
  { points, x, y, transform, smooth }: ReadingOptions,
  step: number | null = null,
): Promise<Reading> {
  const from = spec.from?.step ?? 0;
  if (committed === from) throw new ProblemError("conflict", `${id} has no step yet`);
  const plain: SeriesOptions = { from, to: committed, points, transform, window: 1 };
  const raw = new Columns(plain, x);
  const smoothed =
    "window" in smooth
      ? new Columns({ ...plain, window: smooth.window }, x)
      : new Columns({ ...plain, transform: "none" }, x);
  const evals = new Map<number, EvalPoint>();
  let ema = initEma();
  let lrAt: number | null = null;
  let sinceBreath = 0;
  for await (const chunk of metrics.chunks(id, from, committed)) {
    const values = chunk[y];
    raw.push(values, chunk.lr);
    if ("window" in smooth) smoothed.push(values, chunk.lr);
    else {
      const averages = new Float64Array(values.length);
      for (let i = 0; i < values.length; i++) {
        ema = nextEma(ema, values[i]!, smooth.decay);
        averages[i] = emaValue(ema, smooth.decay);
      }
      smoothed.push(averages, chunk.lr);
    }
    for (const point of chunk.evals) evals.set(Math.floor((point.step * points) / (committed + 1)), point);
    if (step !== null) lrAt = chunk.lr[step - chunk.from] ?? lrAt;
    sinceBreath += values.length;
    if (sinceBreath < BREATH) continue;
    sinceBreath = 0;
    await setImmediate();
  }
  return {
    raw: raw.extremes(),
    smooth: smoothed.means(),
    evals: [...evals.values()].map((point) => [point.step, point.validationLoss]),
    lrAt,
  };
}

/** A column of values in buckets, and where each bucket stands: the middle of its steps, or their rates' geometric mean. */
class Columns {
  readonly #options: SeriesOptions;
  readonly #values: SeriesAccumulator;
  readonly #lr: SeriesAccumulator | null;

  constructor(options: SeriesOptions, x: "step" | "lr") {
    this.#options = options;
    this.#values = new SeriesAccumulator(options);
    this.#lr = x === "lr" ? new SeriesAccumulator({ ...options, transform: "log10" }) : null;
  }

  push(values: ArrayLike<number>, lr: ArrayLike<number>): void {
    this.#values.push(values);
    this.#lr?.push(lr);
  }

  means(): Point[] {
    return this.#points(({ mean }, i) => [mean[i] ?? Number.NaN]);
  }

  extremes(): Point[] {
    return this.#points(({ min, max }, i) =>
      min[i] === null ? [Number.NaN] : min[i] === max[i] ? [min[i]!] : [min[i]!, max[i]!],
    );
  }

  #points(valuesOf: (series: Series, bucket: number) => number[]): Point[] {
    const series = this.#values.result();
    const rates = this.#lr?.result().mean;
    return series.step.flatMap((_, i) => {
      // A rate of 0 has no place on an axis of exponents.
      const x = rates === undefined ? middle(series, i, this.#options.to) : 10 ** (rates[i] ?? Number.NaN);
      return valuesOf(series, i).map((value): Point => [x, value]);
    });
  }
}

function middle({ step }: Series, bucket: number, to: number): number {
  return (step[bucket]! + (step[bucket + 1] ?? to) - 1) / 2;
}
