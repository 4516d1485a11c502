import type { EvalPoint } from "../../schemas/metrics.js";
import { Column } from "./column.js";
import type { MetricColumns } from "./metric-columns.js";
import { Smoother, type Smoothing } from "./smoother.js";

/** Every step from `first` on, exact, as they arrive. */
export class RunColumns implements MetricColumns {
  readonly every = 1;
  readonly first: number;
  readonly lr = new Column(64);
  readonly loss = new Column(32);
  readonly evals: EvalPoint[] = [];
  readonly #smoother = new Smoother();
  rising = true;

  constructor(first = 0) {
    this.first = first;
  }

  get length(): number {
    return this.loss.length;
  }

  get next(): number {
    return this.first + this.length;
  }

  push(lr: readonly number[], loss: readonly (number | null)[]): void {
    this.rising = this.rising && isRising(this.lr.at(this.lr.length - 1), lr);
    this.lr.push(lr);
    this.loss.push(loss);
  }

  stepOf(index: number): number {
    return this.first + index;
  }

  indexAtStep(position: number): number {
    return Math.max(0, Math.min(this.length, Math.ceil(position) - this.first));
  }

  smoothed(smoothing: Smoothing): Float32Array {
    return this.#smoother.update(this.loss.values(), smoothing);
  }
}

/** Whether rates that follow `last` (NaN: none does) never fall. */
export function isRising(last: number, rates: readonly number[]): boolean {
  let before = last;
  for (const rate of rates) {
    if (rate < before) return false;
    before = rate;
  }
  return true;
}
