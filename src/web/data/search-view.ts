import type { CurvePoint } from "./search-curves.js";

type Curves = readonly (readonly CurvePoint[])[];

/** A horizon is shown once so many rates have been trained for it. */
const ENOUGH = 3;

/** Losses of trainings of different lengths are no curve together. This is the longest at which some schedule has one. */
export function longestOf(curves: Curves, horizons: readonly number[]): number | null {
  const told = (steps: number) =>
    curves.some((curve) => curve.filter((point) => point.steps === steps).length >= ENOUGH);
  return horizons.find(told) ?? horizons.at(-1) ?? null;
}

/** What differs by less than so many standard errors is no valley. */
const NOISE = 4;

/** So high that every schedule's valley is seen, no exploding rate flattens them, and chance alone makes no picture. */
export function highestOf(curves: Curves, guessLoss: number): number {
  const minima = curves.flatMap((curve) => {
    const losses = curve.flatMap(({ loss }) => (loss === null ? [] : [loss]));
    return losses.length < ENOUGH ? [] : [Math.min(...losses)];
  });
  const errors = curves
    .flat()
    .flatMap(({ stderr }) => stderr ?? [])
    .sort((a, b) => a - b);
  const noise = NOISE * (errors[Math.floor(0.75 * (errors.length - 1))] ?? 0);
  // A lone curve's valley would be all that is seen of it.
  if (minima.length < 2) return guessLoss * 1.05;
  const low = Math.min(...minima);
  const high = Math.max(low, Math.min(guessLoss, Math.max(...minima)));
  return high + Math.max(high - low, noise, 0.05 * Math.abs(guessLoss - low));
}

/** How far the lines go on beyond the rates that are shown. */
const BESIDE = 1.5;

/** The rates whose losses are seen below `highest`, and some room; all rates where fewer than three of them are. */
export function ratesShown(curves: Curves, highest: number): readonly [number, number] | null {
  const all = curves.flat();
  const seen = all.filter(({ loss }) => loss !== null && loss <= highest);
  const rates = (new Set(seen.map(({ lr }) => lr)).size < ENOUGH ? all : seen).map(({ lr }) => lr);
  return rates.length === 0 ? null : [Math.min(...rates) / BESIDE, Math.max(...rates) * BESIDE];
}
