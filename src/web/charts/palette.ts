import { LINES_ON_DARK, LINES_ON_LIGHT } from "../../core/palette.js";

export const COLORS = LINES_ON_LIGHT.length;

export interface Palette {
  readonly ground: string;
  readonly ink: string;
  readonly grid: string;
  line(index: number, opacity: number): string;
}

export const darkScheme = matchMedia("(prefers-color-scheme: dark)");

/** The colours of the scheme in force. */
export function palette(): Palette {
  const dark = darkScheme.matches;
  const colors = dark ? LINES_ON_DARK : LINES_ON_LIGHT;
  return {
    ground: dark ? "#14171c" : "#ffffff",
    ink: dark ? "#d6dae1" : "#3a3f47",
    grid: dark ? "#343a44" : "#e2e5ea",
    line: (index, opacity) => {
      const alpha = Math.round(opacity * 255);
      return `${colors[index % COLORS]}${alpha.toString(16).padStart(2, "0")}`;
    },
  };
}
