import { seriesColor } from "./colors.js";

/** What a line's colour says: a number on a scale, or which of some values it has. */
export type ColorScale =
  | { readonly kind: "number"; readonly low: number; readonly high: number; readonly log: boolean }
  | { readonly kind: "choice"; readonly places: ReadonlyMap<string | number | null, number> };

/** A scale for numbers is logarithmic where they span more than this factor. */
const LOG_FROM = 10;

export function colorScale(values: readonly (string | number | null)[]): ColorScale {
  const numbers = values.filter((value) => typeof value === "number");
  const others = values.some((value) => typeof value === "string");
  if (!others && new Set(numbers).size > 2) {
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    return { kind: "number", low, high, log: low > 0 && high / low > LOG_FROM };
  }
  const places = new Map([...new Set(values)].map((value, place) => [value, place] as const));
  return { kind: "choice", places };
}

/** Where a number stands on a scale, from 0 to 1. */
export function partOf(scale: ColorScale & { kind: "number" }, value: number): number {
  const { low, high, log } = scale;
  if (high === low) return 0.5;
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** Viridis (Smith, van der Walt and Firing 2015) at every tenth. */
const VIRIDIS = [
  ...["440154", "482475", "414487", "355f8d", "2a788e", "21918c"],
  ...["22a884", "44bf70", "7ad151", "bddf26", "fde725"],
].map((hex) => [0, 2, 4].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)));

/** Its colour at a part of the way, without the end that would be lost on the ground. */
export function rampColor(part: number, dark: boolean): string {
  const at = Math.max(0, Math.min(1, dark ? 0.25 + 0.75 * part : 0.85 * part)) * (VIRIDIS.length - 1);
  const i = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const channels = VIRIDIS[i]!.map((low, c) => Math.round(low + (at - i) * (VIRIDIS[i + 1]![c]! - low)));
  return `rgb(${channels.join(" ")})`;
}

/** Of a run that has no such number: no colour of the ramp. */
const NO_VALUE = "#8b929c";

export function colorOf(scale: ColorScale, value: string | number | null, dark: boolean): string {
  if (scale.kind === "number") return typeof value === "number" ? rampColor(partOf(scale, value), dark) : NO_VALUE;
  return seriesColor(scale.places.get(value) ?? 0, dark);
}
