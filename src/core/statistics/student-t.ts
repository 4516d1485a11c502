/**
 * Student's t distribution, by the continued fraction of the incomplete beta function (Lentz's method; Abramowitz and
 * Stegun 26.5.8 and 26.7.1). Degrees of freedom are any number above 0. Relative error below 1e-10 up to 1,000 degrees,
 * in the tail as well: the tail is computed itself, never as 1 minus the rest.
 */

/** P(T > t). */
export function tTail(t: number, degrees: number): number {
  check(degrees);
  if (t < 0) return 1 - tTail(-t, degrees);
  const square = t * t;
  if (square === Number.POSITIVE_INFINITY) return 0;
  const a = degrees / 2;
  const x = degrees / (degrees + square);
  // The fraction converges fast below the distribution's mean; beyond it the other side's is taken.
  return x < (a + 1) / (a + 2.5)
    ? 0.5 * incompleteBeta(x, square / (degrees + square), a, 0.5)
    : 0.5 - 0.5 * incompleteBeta(square / (degrees + square), x, 0.5, a);
}

/** P(T <= t). */
export function tCdf(t: number, degrees: number): number {
  return tTail(-t, degrees);
}

/** The t that |T| exceeds with probability `alpha`, 0 < alpha <= 1: half the width of a two-sided interval, in standard errors. */
export function tCritical(alpha: number, degrees: number): number {
  if (!(alpha > 0 && alpha <= 1)) throw new RangeError(`a probability above 0 and at most 1, not ${alpha}`);
  check(degrees);
  // The tail is convex where t > 0: Newton's steps come from below and never pass the root, but for rounding.
  let t = 0;
  for (;;) {
    const next = t + (tTail(t, degrees) - alpha / 2) / density(t, degrees);
    if (!(next > t)) return t;
    t = next;
  }
}

function density(t: number, degrees: number): number {
  const front = Math.exp(logGamma((degrees + 1) / 2) - logGamma(degrees / 2)) / Math.sqrt(degrees * Math.PI);
  return front * Math.exp((-(degrees + 1) / 2) * Math.log1p((t * t) / degrees));
}

/** The t with P(T <= t) = p, 0 < p < 1. */
export function tQuantile(p: number, degrees: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`a probability between 0 and 1, not ${p}`);
  return p < 0.5 ? -tCritical(2 * p, degrees) : tCritical(2 * (1 - p), degrees);
}

function check(degrees: number): void {
  if (!(degrees > 0)) throw new RangeError(`degrees of freedom above 0, not ${degrees}`);
}

/** I_x(a, b), regularized; `rest` is 1 - x, given apart because near 1 the difference would have lost its digits. */
function incompleteBeta(x: number, rest: number, a: number, b: number): number {
  if (x === 0) return 0;
  const logFront = a * Math.log(x) + b * Math.log(rest) + logGamma(a + b) - logGamma(a) - logGamma(b);
  return (Math.exp(logFront) / a) * betaFraction(x, a, b);
}

const TINY = 1e-300;
const MOST_TERMS = 10_000;

function betaFraction(x: number, a: number, b: number): number {
  const away = (value: number) => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return fraction;
}

/** Lanczos, g = 7, nine terms (Godfrey 2001); about 1e-15 relative for x > 0. */
const LANCZOS = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

function logGamma(x: number): number {
  // Reflection, for x below 1/2.
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  let sum = LANCZOS[0]!;
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}
