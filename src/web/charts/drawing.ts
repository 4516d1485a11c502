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
  /** null: diverged; drawn as a cross at the top. */
  readonly y: number | null;
  /** Half the length of its error bar. */
  readonly error?: number | null;
}

export interface Points {
  readonly color: number;
  readonly at: readonly Point[];
  /** An SVG path about (0, 0), for points that are joined by a line of their own or by none; absent: squares, joined. */
  readonly marker?: string;
}

/** All that is drawn for one view; `values` is one array a line, each as long as `x`. */
export interface Drawing {
  readonly range: readonly [number, number];
  readonly x: Float64Array;
  readonly values: readonly Values[];
  readonly points?: readonly Points[];
  readonly marks?: readonly Mark[];
}
