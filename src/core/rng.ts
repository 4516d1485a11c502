/**
 * Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a counter-based generator.
 * Draw k of stream s under a seed is a pure function of (seed, s, k), so the only random state of a run is its step number,
 * two runs with one seed see the same minibatches at the same steps whatever else differs,
 * and the C kernel produces the same draws with ten lines of integer arithmetic.
 */
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of the unsigned product of two 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}

/** One block: four 32-bit words for counter (c0, c1, c2, c3) under key (k0, k1), written to out[0..4). */
export function philox(out: Uint32Array, c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): void {
  let x0 = c0 >>> 0;
  let x1 = c1 >>> 0;
  let x2 = c2 >>> 0;
  let x3 = c3 >>> 0;
  let key0 = k0 >>> 0;
  let key1 = k1 >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, x0);
    const low0 = Math.imul(M0, x0) >>> 0;
    const high1 = mulHigh(M1, x2);
    const low1 = Math.imul(M1, x2) >>> 0;
    x0 = (high1 ^ x1 ^ key0) >>> 0;
    x1 = low1;
    x2 = (high0 ^ x3 ^ key1) >>> 0;
    x3 = low0;
    key0 = (key0 + W0) >>> 0;
    key1 = (key1 + W1) >>> 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/** Streams of one seed: they never share a draw. */
export const STREAM = { batch: 0, init: 1, sample: 2, shuffle: 3 } as const;

/**
 * Sequential view of one stream, for the cold paths (initialisation, shuffling, sampling).
 * Draw k is word k mod 4 of the block with counter (k div 4, 0, 0, stream) and key (seed, 0).
 */
export class Rng {
  readonly #seed: number;
  readonly #stream: number;
  readonly #block = new Uint32Array(4);
  #drawn = 0;
  #spare: number | undefined;

  constructor(seed: number, stream: number) {
    this.#seed = seed;
    this.#stream = stream;
  }

  /** Uniform in 0 .. 2^32 - 1. */
  uint32(): number {
    const word = this.#drawn & 3;
    if (word === 0) philox(this.#block, this.#drawn / 4, 0, 0, this.#stream, this.#seed, 0);
    this.#drawn++;
    return this.#block[word]!;
  }

  /** Uniform in [0, 1), 32 bits. */
  uniform(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** Uniform in 0 .. bound - 1; the bias of the multiply method is below bound / 2^32. */
  below(bound: number): number {
    return mulHigh(this.uint32(), bound);
  }

  /** Standard normal, Box-Muller; draws come in pairs. */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/**
 * The minibatch of one step: `count` example indices drawn with replacement from 0 .. examples - 1.
 * Index i is mulHigh(word i mod 4 of block (i div 4, step mod 2^32, step div 2^32, STREAM.batch), examples), key (seed, 0).
 * The kernel draws the same indices; `out` has room for count rounded up to a multiple of 4.
 */
export function drawBatch(out: Uint32Array, count: number, examples: number, seed: number, step: number): void {
  const block = new Uint32Array(4);
  const stepLow = step >>> 0;
  const stepHigh = Math.floor(step / 0x1_0000_0000);
  for (let i = 0; i < count; i += 4) {
    philox(block, i / 4, stepLow, stepHigh, STREAM.batch, seed, 0);
    for (let j = 0; j < 4 && i + j < count; j++) out[i + j] = mulHigh(block[j]!, examples);
  }
}
