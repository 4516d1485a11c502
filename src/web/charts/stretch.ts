import type { View } from "./plan.js";

const SEPARATOR = "..";

/** A stretch of an axis as an address has it, "100..2000"; null: it is none. */
export function parseStretch(text: string | null): View {
  const ends = (text ?? "").split(SEPARATOR);
  const [low, high] = ends.map(Number);
  const valid = ends.length === 2 && ends.every((end) => end.trim() !== "") && Number.isFinite(low! - high!);
  return valid && low! < high! ? [low!, high!] : null;
}

/** Digits enough to tell the ends apart at whatever magnification, and no more. */
export function stretchText([low, high]: NonNullable<View>): string {
  const magnitude = Math.log10(Math.max(Math.abs(low), Math.abs(high)) / (high - low));
  const digits = Math.min(15, Math.max(4, 4 + Math.ceil(magnitude)));
  return [low, high].map((end) => Number(end.toPrecision(digits))).join(SEPARATOR);
}
