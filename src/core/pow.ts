/**
 * x ** y, rounded correctly (but for one case in some ten thousand), and the same on every machine and version of Node:
 * JavaScript leaves the last bit to the engine, V8 has changed it (24's differs from 22's), and a run's rates must not. Only
 * what IEEE 754 says to the bit is used, and Math.log, to begin with. Values are kept as sums of two doubles, "pairs".
 */
export function pow(x: number, y: number): number {
  // These need no rounding, or have rules of their own.
  if (y === 0 || y === 1 || x === 0 || x === 1 || !Number.isFinite(x) || !Number.isFinite(y)) return x ** y;
  if (x < 0) return Number.isInteger(y) ? pow(-x, y) * (y % 2 === 0 ? 1 : -1) : Number.NaN;
  const [m, e] = mantissa(x);
  const rough = Math.log(m);
  // log m = rough + log(m / exp rough), and of what is so near 1 two terms are enough.
  const near = times(exponential({ high: -rough, low: 0 }), { high: m, low: 0 });
  const d = near.high - 1 + near.low;
  const log = plus(plus(times(LN2, { high: e, low: 0 }), { high: rough, low: 0 }), { high: d - (d * d) / 2, low: 0 });
  const guess = log.high * y;
  if (guess > 710) return Number.POSITIVE_INFINITY;
  if (guess < -746) return 0;
  const z = times(log, { high: y, low: 0 });
  const n = Math.round(z.high / LN2.high);
  const result = exponential(plus(z, times(LN2, { high: -n, low: 0 })));
  // Twice, since 2 ** n alone may be beyond the range; a result below it is rounded by the second product.
  const half = Math.trunc(n / 2);
  return (result.high + result.low) * powerOfTwo(half) * powerOfTwo(n - half);
}

interface Pair {
  readonly high: number;
  /** At most half an ulp of `high`. */
  readonly low: number;
}

const LN2: Pair = { high: Math.LN2, low: 2.3190468138462996e-17 };

function exactSum(a: number, b: number): Pair {
  const high = a + b;
  const part = high - a;
  return { high, low: a - (high - part) + (b - part) };
}

function exactProduct(a: number, b: number): Pair {
  const [aHigh, aLow] = halves(a);
  const [bHigh, bLow] = halves(b);
  const high = a * b;
  return { high, low: aLow * bLow - (high - aHigh * bHigh - aLow * bHigh - aHigh * bLow) };
}

/** Each with at most 26 bits (Veltkamp). */
function halves(a: number): [number, number] {
  const c = 134217729 * a;
  const high = c - (c - a);
  return [high, a - high];
}

function plus(a: Pair, b: Pair): Pair {
  const sum = exactSum(a.high, b.high);
  return exactSum(sum.high, sum.low + a.low + b.low);
}

function times(a: Pair, b: Pair): Pair {
  const product = exactProduct(a.high, b.high);
  return exactSum(product.high, product.low + a.high * b.low + a.low * b.high);
}

/** exp(r) for |r| up to 0.36: the series at r / 32, then squared five times. */
function exponential(r: Pair): Pair {
  const s: Pair = { high: r.high / 32, low: r.low / 32 };
  const square = times(s, s);
  const h = s.high;
  const tail = h * h * h * (1 / 6 + h * (1 / 24 + h * (1 / 120 + h * (1 / 720 + h * (1 / 5040 + h * (1 / 40320))))));
  let result = plus(plus(s, { high: square.high / 2, low: square.low / 2 }), { high: tail, low: 0 });
  result = plus({ high: 1, low: 0 }, result);
  for (let i = 0; i < 5; i++) result = times(result, result);
  return result;
}

const bits = new DataView(new ArrayBuffer(8));

/** x = m * 2 ** e, m of [sqrt(1/2), sqrt(2)). */
function mantissa(x: number): [m: number, e: number] {
  const isSmall = x < 2.2250738585072014e-308;
  bits.setFloat64(0, isSmall ? x * 18014398509481984 : x);
  const word = bits.getInt32(0);
  bits.setInt32(0, (word & 0xfffff) | 0x3ff00000);
  const m = bits.getFloat64(0);
  const e = (word >> 20) - 1023 - (isSmall ? 54 : 0);
  return m < Math.SQRT2 ? [m, e] : [m / 2, e + 1];
}

/** n from -1022 to 1023. */
function powerOfTwo(n: number): number {
  bits.setInt32(0, (n + 1023) << 20);
  bits.setInt32(4, 0);
  return bits.getFloat64(0);
}
