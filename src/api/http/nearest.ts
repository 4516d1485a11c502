import { distance } from "fastest-levenshtein";

/** Nothing that is so long is a slip of the pen. */
const LONGEST = 60;
/** At most; two letters in the wrong order count as two. */
const SLIPS = 2;

/** How a name reads without its case and punctuation: batch_size, BatchSize and batch-size are one. */
export const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

/** The known name that was probably meant; null: none is near. `loosely`: a name that is a part of the other will do. */
export function nearest(name: string, known: Iterable<string>, loosely = false): string | null {
  if (name.length > LONGEST) return null;
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const apart = difference(plain(name), plain(candidate), loosely);
    if (apart < least) [best, least] = [candidate, apart];
  }
  return best;
}

function difference(a: string, b: string, loosely: boolean): number {
  const slips = distance(a, b);
  if (slips <= Math.min(SLIPS, Math.floor((Math.max(a.length, b.length) + 1) / 3))) return slips;
  if (!loosely || Math.min(a.length, b.length) < 2) return Number.POSITIVE_INFINITY;
  if (a.startsWith(b) || b.startsWith(a)) return SLIPS + Math.abs(a.length - b.length);
  const inside = Math.min(a.length, b.length) > 3 && (a.includes(b) || b.includes(a));
  return inside ? 100 + Math.abs(a.length - b.length) : Number.POSITIVE_INFINITY;
}
