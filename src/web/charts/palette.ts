/**
 * Okabe and Ito's colours ("Color universal design", 2008), darkened for white and lightened for dark until each has a
 * contrast of 3:1 or more; told apart with every common kind of colour blindness. Lines beyond the list repeat it dashed.
 */
const LIGHT = ["#0072b2", "#c2410c", "#00795b", "#a8437f", "#8a6100", "#2b6cb8", "#4d4d4d"];
const DARK = ["#56b4e9", "#f08a3c", "#2fc79f", "#e59ac6", "#f0e442", "#8fc3ff", "#cfcfcf"];

export const COLORS = LIGHT.length;

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
  const colors = dark ? DARK : LIGHT;
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
