/**
 * Two-sided p value of the exact sign test: the chance that `count` fair coins fall at least as unevenly as `wins` to the
 * rest; 1 of no coins. RangeError above 1,000 coins, where 2 ** -count leaves the range of a double.
 */
export function signTest(wins: number, count: number): number {
  if (count > 1000) throw new RangeError(`at most 1000 coins, not ${count}`);
  const most = Math.max(wins, count - wins);
  if (2 * most === count) return 1;
  // C(count, k) / 2 ** count, from k = count down.
  let term = 2 ** -count;
  let tail = term;
  for (let k = count; k > most; k--) {
    term = (term * k) / (count - k + 1);
    tail += term;
  }
  return Math.min(1, 2 * tail);
}
