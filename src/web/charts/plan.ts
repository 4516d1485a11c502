import type { MetricColumns } from "../data/metric-columns.js";
import type { Smoothing } from "../data/smoother.js";

/** What lies along x. "lr" and "exponent" (its log10) need rates that never fall. */
export type Axis = "step" | "lr" | "exponent";
/** Visible stretch of the x axis, in its own units; null: all there is. */
export type View = readonly [number, number] | null;

/** The marks of a chart's x axis, and which entries of a run fall at each. */
export interface Plan {
  /** Ascending positions, at most two a pixel. */
  readonly x: Float64Array;
  /** Marks stand for single steps; otherwise two marks in a row share one pixel column. */
  readonly exact: boolean;
}

/** The first entry whose x is at or after a position. */
export function indexAt(columns: MetricColumns, axis: Axis, position: number): number {
  if (axis === "step") return columns.indexAtStep(position);
  const lr = axis === "lr" ? position : 10 ** position;
  let low = 0;
  let high = columns.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (columns.lr.at(middle) < lr) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where an entry is, or a bucket begins. */
export function xOf(columns: MetricColumns, axis: Axis, index: number): number {
  if (axis === "step") return columns.stepOf(index);
  const lr = columns.lr.at(index);
  return axis === "lr" ? lr : Math.log10(lr);
}

/** The stretch that a view shows; null while there is nothing to show. */
export function visible(runs: readonly MetricColumns[], axis: Axis, view: View): readonly [number, number] | null {
  if (view !== null) return view;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const run of runs) {
    if (run.length === 0) continue;
    low = Math.min(low, xOf(run, axis, 0));
    high = Math.max(high, axis === "step" ? run.next - 1 : xOf(run, axis, run.length - 1));
  }
  if (low > high) return null;
  if (low < high) return [low, high];
  return axis === "lr" ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
}

/** The steps [from, to) of a stretch, and some more on either side, so that lines run to the edges. */
export function stepsOf(
  columns: MetricColumns,
  axis: Axis,
  [low, high]: readonly [number, number],
): readonly [number, number] {
  const before = Math.max(0, indexAt(columns, axis, low) - 1);
  const after = indexAt(columns, axis, high) + 2;
  return [columns.stepOf(before), after < columns.length ? columns.stepOf(after) : columns.next];
}

/** Marks for a stretch drawn `width` pixels wide: every step where they are few, two a pixel column where they are many. */
export function planMarks(
  runs: readonly MetricColumns[],
  axis: Axis,
  [low, high]: readonly [number, number],
  width: number,
): Plan {
  const ranges = runs.map((run) => [indexAt(run, axis, low), indexAt(run, axis, high) + 1] as const);
  const count = ranges.reduce((sum, [from, to], k) => sum + Math.max(0, Math.min(to, runs[k]!.length) - from), 0);
  // A bucket is never a point: there, its mean would be taken for a step's value.
  if (count <= 2 * width && runs.every(({ every }) => every === 1)) {
    const marks = new Set<number>();
    for (const [k, [from, to]] of ranges.entries()) {
      // One step more on either side, so that lines run to the edges.
      for (let step = Math.max(0, from - 1); step < Math.min(to + 1, runs[k]!.length); step++)
        marks.add(xOf(runs[k]!, axis, step));
    }
    return { x: Float64Array.from(marks).sort(), exact: true };
  }
  const x = new Float64Array(2 * width);
  for (let i = 0; i < x.length; i++) x[i] = between(axis, low, high, (i + 0.5) / x.length);
  return { x, exact: false };
}

/** A position part of the way along; geometric on the lr axis, which is logarithmic. */
function between(axis: Axis, low: number, high: number, part: number): number {
  return axis === "lr" ? low * (high / low) ** part : low + (high - low) * part;
}

export type Values = (number | null)[];

/** A column at the marks: exact values, or each pixel column's extremes, in the order that keeps the line short. */
export function envelope(columns: MetricColumns, which: "lr" | "loss", axis: Axis, { x, exact }: Plan): Values {
  const column = columns[which];
  const values: Values = new Array(x.length).fill(null);
  if (exact) {
    forEachExact(columns, axis, x, (i, index) => {
      values[i] = finite(column.at(index));
    });
    return values;
  }
  let last = 0;
  for (let i = 0; i + 1 < x.length; i += 2) {
    const [from, to] = entriesOfPixel(columns, axis, x, i);
    const { min, max } = column.extent(from, to);
    if (min > max) continue;
    const downwards = Math.abs(last - max) < Math.abs(last - min);
    values[i] = downwards ? max : min;
    values[i + 1] = downwards ? min : max;
    last = values[i + 1]!;
  }
  return values;
}

/** A smooth column at the marks: the value of the step or bucket at each. */
export function sampled(columns: MetricColumns, smoothing: Smoothing, axis: Axis, { x, exact }: Plan): Values {
  const smooth = columns.smoothed(smoothing);
  const values: Values = new Array(x.length).fill(null);
  if (exact) {
    forEachExact(columns, axis, x, (i, index) => {
      values[i] = finite(smooth[index]!);
    });
    return values;
  }
  if (columns.length === 0) return values;
  const begin = xOf(columns, axis, 0);
  for (let i = 0; i < x.length; i++) {
    const index = entryAt(columns, axis, x[i]!);
    if (index < columns.length && x[i]! >= begin) values[i] = finite(smooth[index]!);
  }
  return values;
}

function forEachExact(
  columns: MetricColumns,
  axis: Axis,
  x: Float64Array,
  visit: (i: number, index: number) => void,
): void {
  for (let i = 0; i < x.length; i++) {
    const index = indexAt(columns, axis, x[i]!);
    if (index < columns.length && xOf(columns, axis, index) === x[i]) visit(i, index);
    // 10 ** log10(lr) may miss lr by a rounding.
    else if (index > 0 && xOf(columns, axis, index - 1) === x[i]) visit(i, index - 1);
  }
}

/** The first entry that reaches a position: the first step at or after it, or the bucket that it lies in. */
export function entryAt(columns: MetricColumns, axis: Axis, position: number): number {
  const after = indexAt(columns, axis, position);
  if (columns.every === 1 || after === 0) return after;
  const next = after < columns.length ? xOf(columns, axis, after) : axis === "step" ? columns.next : position;
  return position < next ? after - 1 : after;
}

/** What lies between the left and the right edge of the pixel column of marks i and i + 1, if only in part. */
function entriesOfPixel(columns: MetricColumns, axis: Axis, x: Float64Array, i: number): [number, number] {
  const left = i === 0 ? x[0]! : middle(axis, x[i - 1]!, x[i]!);
  const right = i + 2 >= x.length ? x[i + 1]! : middle(axis, x[i + 1]!, x[i + 2]!);
  const to = indexAt(columns, axis, right);
  return [entryAt(columns, axis, left), i + 2 >= x.length ? to + 1 : to];
}

function middle(axis: Axis, a: number, b: number): number {
  return axis === "lr" ? Math.sqrt(a * b) : (a + b) / 2;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
