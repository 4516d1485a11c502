import type { Values } from "./plan.js";

export interface Line {
  readonly label: string;
  /** Index into the palette. */
  readonly color: number;
  /** Drawn faint, as the noise behind a smoothed line. */
  readonly faint?: boolean;
  readonly dash?: readonly number[];
}

/** Fills between two lines, by index. */
export interface Band {
  readonly lines: readonly [number, number];
  readonly color: number;
}

/** A labelled vertical mark. */
export interface Mark {
  readonly x: number;
  readonly label: string;
  readonly color: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** All that is drawn for one view; `values` is one array a line, each as long as `x`. */
export interface Drawing {
  readonly range: readonly [number, number];
  readonly x: Float64Array;
  readonly values: readonly Values[];
  readonly points?: readonly { readonly color: number; readonly at: readonly Point[] }[];
  readonly marks?: readonly Mark[];
}
