import type { EvalPoint } from "../../spec/metrics.js";
import { Column } from "./column.js";
import { Smoother, type Smoothing } from "./smoother.js";

/** All of a run's metrics, exact, as they arrive. Entry i of a column belongs to step `first` + i. */
export class RunColumns {
  /** Above 0 for a fork. */
  first = 0;
  readonly lr = new Column(64);
  readonly loss = new Column(32);
  readonly evals: EvalPoint[] = [];
  readonly #smoother = new Smoother();
  /** Rates never fall: the loss can be drawn against them. */
  rising = true;

  /** Steps held. */
  get length(): number {
    return this.loss.length;
  }

  /** The step that a stream goes on from. */
  get next(): number {
    return this.first + this.length;
  }

  push(lr: readonly number[], loss: readonly (number | null)[], evals: readonly EvalPoint[]): void {
    let last = this.lr.at(this.lr.length - 1);
    for (const rate of lr) {
      if (rate < last) this.rising = false;
      last = rate;
    }
    this.lr.push(lr);
    this.loss.push(loss);
    this.evals.push(...evals);
  }

  smoothed(smoothing: Smoothing): Float32Array {
    return this.#smoother.update(this.loss.values(), smoothing);
  }
}
