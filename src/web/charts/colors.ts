import { LINES_ON_DARK, LINES_ON_LIGHT } from "../../core/palette.js";

const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [14, 5], [5, 2]];

/** Degrees; after any number of turns the hues so far lie apart as evenly as can be. */
const GOLDEN_ANGLE = 137.508;
/** Purple: the palette has none. */
const FIRST_HUE = 305;

/**
 * A series' colour, by its place: the palette's, then hues without end, whose lightness keeps a contrast of 3:1 with the ground.
 * No two of the first hundred are alike, and neighbours never nearly so.
 */
export function seriesColor(place: number, dark: boolean, opacity = 1): string {
  const palette = dark ? LINES_ON_DARK : LINES_ON_LIGHT;
  if (place < palette.length) {
    return `${palette[place]}${Math.round(opacity * 255)
      .toString(16)
      .padStart(2, "0")}`;
  }
  const [low, high] = dark ? [0.7, 0.82] : [0.48, 0.6];
  const hue = ((FIRST_HUE + (place - palette.length) * GOLDEN_ANGLE) % 360).toFixed(1);
  return `oklch(${place % 2 === 0 ? low : high} 0.14 ${hue} / ${opacity})`;
}

/** Dash pattern, in pixels, that tells a series from its neighbours without its colour. */
export const seriesDash = (place: number): readonly number[] => DASHES[place % DASHES.length]!;
