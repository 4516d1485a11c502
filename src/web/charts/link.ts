import { keepStretch, stretchInAddress } from "./kept-stretch.js";
import type { View } from "./plan.js";

/** A chart, as the others of its page see it. */
export interface Linked {
  /** The view is another. */
  update(): void;
  /** Shows the cursor at x; null: nowhere. */
  showCursor(x: number | null): void;
}

/** Charts with one x axis: one stretch of it and one cursor for all of them. A chart alone has a link of its own. */
export class Link {
  /** The stretch of the x axis that is shown; null: all. */
  view: View;
  /** The one that is pointed at; its cursor is followed by the others. */
  leader: Linked | null = null;
  readonly #charts = new Set<Linked>();
  /** What the address calls it; null: nothing. */
  readonly #name: string | null;

  constructor(name: string | null = null) {
    this.#name = name;
    this.view = name === null ? null : stretchInAddress(name);
  }

  join(chart: Linked): void {
    this.#charts.add(chart);
  }

  leave(chart: Linked): void {
    this.#charts.delete(chart);
    if (this.leader === chart) this.leader = null;
  }

  show(view: View): void {
    this.view = view;
    if (this.#name !== null) keepStretch(this.#name, view);
    for (const chart of this.#charts) chart.update();
  }

  point(from: Linked, x: number | null): void {
    for (const chart of this.#charts) if (chart !== from) chart.showCursor(x);
  }
}
