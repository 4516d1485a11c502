import type uPlot from "uplot";
import type { Values } from "./plan.js";

export interface Line {
  readonly label: string;
  /** Its place among the series: colour and dashes follow from it. */
  readonly color: number;
  /** Drawn faint, as the noise behind a smoothed line; the y axis is fitted without it. */
  readonly faint?: boolean;
  readonly dash?: readonly number[];
  /** Lines and points of one key are shown and hidden together. Default: the label. */
  readonly key?: string;
}

export const keyOf = ({ key, label }: { readonly key?: string; readonly label: string }): string => key ?? label;

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
  /** Place among the series. */
  readonly color: number;
  /** A colour of its own. */
  readonly fill?: string;
  readonly at: readonly Point[];
  /** An SVG path about (0, 0), for points that are joined by a line of their own or by none; absent: squares, joined. */
  readonly marker?: string;
  /** Hidden with the lines of that key. */
  readonly key?: string;
}

/** All that is drawn for one view; `values` is one array a line, each as long as `x`. */
export interface Drawing {
  readonly range: readonly [number, number];
  readonly x: Float64Array;
  readonly values: readonly Values[];
  readonly points?: readonly Points[];
  readonly marks?: readonly Mark[];
  /** What the y axis shows, where it does not follow from the values. */
  readonly yRange?: readonly [number, number];
  /** Draws more than lines can be, below points and marks; its canvas is cut to the plotting area. */
  readonly layer?: (plot: uPlot) => void;
}
