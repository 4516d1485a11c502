import { evenTicks, logTicks } from "../../core/ticks.js";

export type Scale = "linear" | "log";

export interface Axis {
  /** What is drawn along it, with its unit. */
  readonly label: string;
  readonly scale: Scale;
  /** The ends, in the axis's own unit; low < high. */
  readonly low: number;
  readonly high: number;
}

/** In the axes' own units; a y of NaN is a gap. */
export type Point = readonly [x: number, y: number];

export interface Line {
  /** For the key; null: not in it. */
  readonly name: string | null;
  /** Index into the colours. */
  readonly color: number;
  readonly style: "strong" | "faint" | "points";
  readonly points: readonly Point[];
}

/** A vertical line at x. */
export interface Mark {
  readonly x: number;
  readonly label: string;
  readonly kind: "suggestion" | "divergence";
}

/** A picture as data, before it is drawn as SVG, PNG or text. All texts are free of control characters. */
export interface Plot {
  readonly title: string;
  readonly subtitle: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  readonly marks: readonly Mark[];
}

/** An axis in the coordinate it is drawn in: the value itself, or its log10. */
export interface DrawnAxis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  readonly at: (value: number) => number;
}

export function drawnAxis({ scale, low, high }: Axis, wantedTicks: number): DrawnAxis {
  const at = scale === "log" ? Math.log10 : (value: number) => value;
  const ticks = (scale === "log" ? logTicks : evenTicks)(low, high, wantedTicks);
  return { low: at(low), high: at(high), ticks: ticks.map((value) => ({ at: at(value), text: short(value) })), at };
}

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A number for a label: enough digits to tell, no noise. */
export function short(value: number, digits = 3): string {
  const size = Math.abs(value);
  if (value === 0 || !Number.isFinite(value)) return String(value);
  if (size >= 1e8 || size < 1e-3) return value.toExponential(digits - 1).replace(/\.?0+e\+?/, "e");
  if (size >= 1000) return GROUPED.format(value);
  return String(Number(value.toPrecision(digits)));
}

/** Text as it may stand in XML and in a terminal: a name is the client's, and could hold an escape or turn the writing round. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}\ufffe\uffff]/gu, " ");
}
