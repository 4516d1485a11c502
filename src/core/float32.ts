/**
 * The double with the fewest decimals, up to nine, that is still the float32 `value` when rounded to one: it prints in half
 * the digits, and says the same. What has no such double is given back as it is.
 */
export function compactFloat32(value: number): number {
  for (let scale = 1e5; scale <= 1e9; scale *= 10) {
    const rounded = Math.round(value * scale) / scale;
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
