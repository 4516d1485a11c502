import { LINES_ON_LIGHT } from "../../core/palette.js";
import { seriesColor } from "./colors.js";

export const COLORS = LINES_ON_LIGHT.length;

export interface Palette {
  readonly dark: boolean;
  readonly ground: string;
  readonly ink: string;
  readonly grid: string;
  line(place: number, opacity: number): string;
}

export const darkScheme = matchMedia("(prefers-color-scheme: dark)");

/** The colours of the scheme in force. */
export function palette(): Palette {
  const dark = darkScheme.matches;
  return {
    dark,
    ground: dark ? "#14171c" : "#ffffff",
    ink: dark ? "#d6dae1" : "#3a3f47",
    grid: dark ? "#343a44" : "#e2e5ea",
    line: (place, opacity) => seriesColor(place, dark, opacity),
  };
}
