/** numpy.gradient with unit spacing: central differences inside, one-sided at both ends. At least 2 values. */
export function gradient(values: ArrayLike<number>): Float64Array {
  const n = values.length;
  const slopes = new Float64Array(n);
  slopes[0] = values[1]! - values[0]!;
  slopes[n - 1] = values[n - 1]! - values[n - 2]!;
  for (let i = 1; i < n - 1; i++) slopes[i] = (values[i + 1]! - values[i - 1]!) / 2;
  return slopes;
}

/** numpy.gradient with respect to unevenly spaced x: second order inside, one-sided at both ends. At least 2 values. */
export function gradientOver(values: ArrayLike<number>, x: ArrayLike<number>): Float64Array {
  return unevenGradient(values, x, (value) => value);
}

/** torch.gradient of float32 tensors with float32 coordinates: the same formula, every operation rounded. */
export function gradientOverFloat32(values: ArrayLike<number>, x: ArrayLike<number>): Float64Array {
  return unevenGradient(Float32Array.from(values), Float32Array.from(x), Math.fround);
}

function unevenGradient(y: ArrayLike<number>, x: ArrayLike<number>, round: (value: number) => number): Float64Array {
  const n = y.length;
  const slopes = new Float64Array(n);
  const edge = (i: number) => round(round(y[i + 1]! - y[i]!) / round(x[i + 1]! - x[i]!));
  slopes[0] = edge(0);
  slopes[n - 1] = edge(n - 2);
  for (let i = 1; i < n - 1; i++) {
    const before = round(x[i]! - x[i - 1]!);
    const after = round(x[i + 1]! - x[i]!);
    const both = round(before + after);
    const left = round(-after / round(before * both));
    const middle = round(round(after - before) / round(before * after));
    const right = round(before / round(after * both));
    slopes[i] = round(round(round(left * y[i - 1]!) + round(middle * y[i]!)) + round(right * y[i + 1]!));
  }
  return slopes;
}

/** numpy's and torch's argmin: the first smallest; the first NaN when there is one. -1 for no values. */
export function argmin(values: ArrayLike<number>): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) return i;
    if (best < 0 || value < values[best]!) best = i;
  }
  return best;
}
