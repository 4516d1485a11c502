import type { Readout } from "../charts/chart-view.js";
import { type Axis, entryAt, indexAt, xOf } from "../charts/plan.js";
import { BucketColumns } from "../data/bucket-columns.js";
import type { MetricColumns } from "../data/metric-columns.js";
import { number, whole } from "../format.js";

/** Legend keys of what loss charts show. */
export const RAW = "raw";
export const SMOOTHED = "smoothed";
export const VALIDATION = "validation";

/** The entry nearest to a position, of buckets the one it lies in; the last one for none. */
export function nearestIndex(columns: MetricColumns, axis: Axis, x: number | null): number {
  if (x === null) return columns.length - 1;
  if (columns.every > 1) return Math.min(entryAt(columns, axis, x), columns.length - 1);
  const after = Math.min(indexAt(columns, axis, x), columns.length - 1);
  if (after <= 0) return after;
  return x - xOf(columns, axis, after - 1) < xOf(columns, axis, after) - x ? after - 1 : after;
}

export function stepReadout(columns: MetricColumns, index: number): Readout {
  const from = columns.stepOf(Math.max(0, index));
  if (columns.every === 1) return { label: "step", value: whole(from) };
  const last = (index + 1 < columns.length ? columns.stepOf(index + 1) : columns.next) - 1;
  return { label: "steps", value: `${whole(from)} to ${whole(last)}` };
}

export function lrReadout({ lr, every }: MetricColumns, index: number): Readout {
  return { label: every === 1 ? "lr" : "mean lr", value: number(lr.at(index), 8) };
}

export function lossReadout(columns: MetricColumns, axis: Axis, x: number | null): Readout[] {
  const index = nearestIndex(columns, axis, x);
  const { every, lr, loss } = columns;
  const exponent = { label: "log10 lr", value: number(Math.log10(lr.at(index)), 6) };
  const shown = [
    stepReadout(columns, index),
    lrReadout(columns, index),
    ...(axis === "exponent" ? [exponent] : []),
    { label: every === 1 ? "loss" : "mean loss", value: number(loss.at(index), 7), color: 0, faint: true, key: RAW },
  ];
  if (!(columns instanceof BucketColumns)) return shown;
  const { min, max } = loss.extent(index, index + 1);
  const notFinite = columns.notFinite[index] ?? 0;
  return [
    ...shown,
    { label: "lowest to highest", value: min > max ? "–" : `${number(min, 7)} to ${number(max, 7)}` },
    ...(notFinite === 0 ? [] : [{ label: "not finite", value: whole(notFinite) }]),
  ];
}

/** The last evaluation by then. */
export function validationReadout(columns: MetricColumns, axis: Axis, x: number | null): Readout[] {
  const index = nearestIndex(columns, axis, x);
  const end = index + 1 < columns.length ? columns.stepOf(index + 1) : columns.next;
  const measured = columns.evals.findLast(({ step }) => step <= end);
  if (measured === undefined) return [];
  const label = `validation (step ${whole(measured.step)})`;
  return [{ label, value: number(measured.validationLoss, 7), color: 1, key: VALIDATION }];
}
