/** The index of the ascending position nearest to x; the last one for null; -1 where there is none. */
export function nearest(positions: Float64Array, x: number | null): number {
  if (x === null || positions.length === 0) return positions.length - 1;
  let low = 0;
  let high = positions.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && x - positions[low - 1]! < positions[low]! - x ? low - 1 : low;
}
