import type { Fit } from "./fit.js";
import { fitMany, type ManyLine } from "./many.js";

/** A moving view keeps its y axis: it is fitted again once the view has rested so long. */
const REST_MS = 150;

/** The y axis of a chart of many lines, for the stretch that is shown. */
export class RestingFit {
  readonly #lines: readonly ManyLine[];
  readonly #fit: Fit;
  readonly #log: boolean;
  readonly #onRest: () => void;
  #fitted = "";
  #range: readonly [number, number] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onRest`: `of` has something new to say. */
  constructor(lines: readonly ManyLine[], fit: Fit, log: boolean, onRest: () => void) {
    this.#lines = lines;
    this.#fit = fit;
    this.#log = log;
    this.#onRest = onRest;
  }

  of(view: readonly [number, number]): readonly [number, number] | undefined {
    if (this.#fitted === "") this.#refit(view);
    else if (this.#fitted !== view.join()) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.#refit(view);
        this.#onRest();
      }, REST_MS);
    }
    return this.#range;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #refit(view: readonly [number, number]): void {
    this.#fitted = view.join();
    this.#range = fitMany(this.#lines, view, this.#fit, this.#log) ?? undefined;
  }
}
