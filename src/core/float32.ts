/**
 * The double with the fewest decimals, up to nine, that is still the float32 `value` when rounded to one: it prints in half
 * the digits, and says the same. What has no such double is given back as it is.
 */
function compact(value: number): number {
  for (let scale = 1e5; scale <= 1e9; scale *= 10) {
    const rounded = Math.round(value * scale) / scale;
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}

/** Float32 values as numbers that print short, for JSON and CSV. */
export function compactFloat32(values: Float32Array): number[] {
  const result = new Array<number>(values.length);
  for (let i = 0; i < values.length; i++) result[i] = compact(values[i]!);
  return result;
}
