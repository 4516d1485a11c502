import { COLORS } from "./palette.js";

/** Shapes about (0, 0), some 9 units across: lines are told apart by them where colours do not serve. */
const MARKERS = [
  "M0-4.6A4.6 4.6 0 1 1 0 4.6A4.6 4.6 0 1 1 0-4.6Z",
  "M-4-4H4V4H-4Z",
  "M0-5.4L5 3.8H-5Z",
  "M0-5.8L5.8 0L0 5.8L-5.8 0Z",
  "M0 5.4L5-3.8H-5Z",
  "M-1.7-5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5V-1.7H-1.7Z",
  "M0-5.8L1.6-1.9L5.6-1.8L2.5.9L3.6 4.8L0 2.6L-3.6 4.8L-2.5.9L-5.6-1.8L-1.6-1.9Z",
] as const;

/** Diverged: no loss to stand at. */
export const CROSS = "M-4-4L4 4M-4 4L4-4";

/** A line's colour and shape, by its place: alike for no two lines of the first 49. */
export const colorAt = (line: number): number => line % COLORS;
export const markerAt = (line: number): string => MARKERS[(line + Math.floor(line / COLORS)) % MARKERS.length]!;
