/*
 * Trains the character-level MLP, a chunk of steps per call. Freestanding C with vector extensions, compiled several times:
 * LANES 16 (AVX-512), 8 (AVX2 + FMA), 4 (NEON; wasm SIMD128). No allocation, no libc, no global state.
 *
 * Matrices lie in panels: (rows, columns) is ceil(columns / 16) panels of (rows, 16), the last padded with zeros. A tile of
 * any product then reads and writes contiguous memory, whatever the shape, and no loop over lanes has a tail.
 *
 * Same bits for every LANES with fused multiply-adds: each element of a product is one chain of fused multiply-adds in
 * ascending order of the inner index; sums across columns go to sixteen partial sums, folded 16 -> 8 -> 4 -> 2 -> 1; sums across
 * rows are written out in order. Compile with -ffp-contract=off and without -ffast-math.
 */
#include "kernel.h"

#ifndef LANES
#define LANES 4
#endif
#ifndef KERNEL_PREFIX
#define KERNEL_PREFIX kernel
#endif
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define EXPORT(name) JOIN(KERNEL_PREFIX, name)

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned char u8;
typedef float V __attribute__((vector_size(LANES * 4), aligned(LANES * 4)));
typedef int VI __attribute__((vector_size(LANES * 4)));
typedef float VU __attribute__((vector_size(LANES * 4), aligned(4), may_alias)); /* unaligned */

/* Loops over the registers of a tile must vanish, or the sums would live in memory. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#define PANEL 16
#define PER_PANEL (PANEL / LANES)
#define INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define SHUFFLE4(a, b, w, x, y, z) __builtin_shufflevector(a, b, w, x, y, z)
#else
#define SHUFFLE4(a, b, w, x, y, z) __builtin_shuffle(a, b, (I4){w, x, y, z})
#endif
typedef float V4 __attribute__((vector_size(16)));
typedef int I4 __attribute__((vector_size(16)));

/* ---- One vector. minOf/maxOf give b when b is not a number. ---- */

#if LANES == 16
INLINE V splat(float x) { return _mm512_set1_ps(x); }
INLINE V fma_(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
INLINE V minOf(V a, V b) { return _mm512_min_ps(a, b); }
INLINE V maxOf(V a, V b) { return _mm512_max_ps(a, b); }
INLINE V squareRoot(V a) { return _mm512_sqrt_ps(a); }
#elif LANES == 8
INLINE V splat(float x) { return _mm256_set1_ps(x); }
INLINE V fma_(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
INLINE V minOf(V a, V b) { return _mm256_min_ps(a, b); }
INLINE V maxOf(V a, V b) { return _mm256_max_ps(a, b); }
INLINE V squareRoot(V a) { return _mm256_sqrt_ps(a); }
#elif defined(__ARM_NEON)
INLINE V splat(float x) { return vdupq_n_f32(x); }
INLINE V fma_(V a, V b, V c) { return vfmaq_f32(c, a, b); }
INLINE V minOf(V a, V b) { return vminq_f32(a, b); }
INLINE V maxOf(V a, V b) { return vmaxq_f32(a, b); }
INLINE V squareRoot(V a) { return vsqrtq_f32(a); }
#elif defined(__wasm_simd128__)
INLINE V splat(float x) { return (V)wasm_f32x4_splat(x); }
INLINE V fma_(V a, V b, V c) { return a * b + c; } /* rounds twice: wasm SIMD128 has no fused multiply-add */
INLINE V minOf(V a, V b) { return (V)wasm_f32x4_pmin((v128_t)b, (v128_t)a); }
INLINE V maxOf(V a, V b) { return (V)wasm_f32x4_pmax((v128_t)b, (v128_t)a); }
INLINE V squareRoot(V a) { return (V)wasm_f32x4_sqrt((v128_t)a); }
#else
#error "LANES 16 needs -mavx512f, 8 needs -mavx2 -mfma, 4 needs NEON or wasm SIMD128"
#endif

#if LANES == 16
INLINE V swap8(V a) { return _mm512_shuffle_f32x4(a, a, 0x4e); }
INLINE V swap4(V a) { return _mm512_shuffle_f32x4(a, a, 0xb1); }
INLINE V swap2(V a) { return _mm512_permute_ps(a, 0x4e); }
INLINE V swap1(V a) { return _mm512_permute_ps(a, 0xb1); }
#elif LANES == 8
INLINE V swap4(V a) { return _mm256_permute2f128_ps(a, a, 1); }
INLINE V swap2(V a) { return _mm256_permute_ps(a, 0x4e); }
INLINE V swap1(V a) { return _mm256_permute_ps(a, 0xb1); }
#else
INLINE V swap2(V a) { return SHUFFLE4(a, a, 2, 3, 0, 1); }
INLINE V swap1(V a) { return SHUFFLE4(a, a, 1, 0, 3, 2); }
#endif

INLINE V add(V a, V b) { return a + b; }

/** Every lane of the result: a panel's 16 columns folded 16 -> 8 -> 4 -> 2 -> 1 by `op`. */
#if LANES == 16
#define FOLD(op, x)                        \
  V f = op(x[0], swap8(x[0]));             \
  f = op(f, swap4(f));
#elif LANES == 8
#define FOLD(op, x)                        \
  V f = op(x[0], x[1]);                    \
  f = op(f, swap4(f));
#else
#define FOLD(op, x) V f = op(op(x[0], x[2]), op(x[1], x[3]));
#endif
INLINE V sumOf(const V x[PER_PANEL]) {
  FOLD(add, x)
  f = f + swap2(f);
  return f + swap1(f);
}
INLINE V mostOf(const V x[PER_PANEL]) {
  FOLD(maxOf, x)
  f = maxOf(f, swap2(f));
  return maxOf(f, swap1(f));
}

INLINE V load(const float *p) { return *(const V *)p; }
INLINE void store(float *p, V v) { *(V *)p = v; }
INLINE V pick(VI mask, V yes, V no) { return (V)((mask & (VI)yes) | (~mask & (VI)no)); }

/**
 * tanh(x): x P(x^2) / Q(x^2), both of degree 4, minimax in relative error (2.1e-8) on |x| <= 9.02, where the result
 * reaches 1; coefficients from an iteratively reweighted least-squares fit of our own. At most 6 ulp off.
 */
INLINE V tanhOf(V x) {
  const V bound = splat(9.02f), one = splat(1.0f);
  x = maxOf(-bound, minOf(bound, x));
  const V u = x * x;
  V p = fma_(splat(1.3319190195204555e-08f), u, splat(2.058358040812891e-05f));
  V q = fma_(splat(7.762071732031472e-07f), u, splat(0.00032831032876856625f));
  p = fma_(p, u, splat(0.003494041273370385f));
  q = fma_(q, u, splat(0.025871099904179573f));
  p = fma_(p, u, splat(0.13379724323749542f));
  q = fma_(q, u, splat(0.4671303927898407f));
  p = fma_(p, u, one);
  q = fma_(q, u, one);
  return maxOf(-one, minOf(one, (x * p) / q));
}

/** e^x for x <= 0: 2^n times the Taylor polynomial of degree 7 on |r| <= ln(2)/2; 0 below -87. */
INLINE V expOf(V x) {
  const V low = splat(-87.0f), magic = splat(12582912.0f); /* 1.5 * 2^23 rounds to an integer */
  const VI tiny = (VI)(x < low);
  x = maxOf(low, x);
  const V shifted = fma_(x, splat(1.44269504f), magic);
  const V n = shifted - magic;
  V r = fma_(n, splat(-0.693359375f), x);
  r = fma_(n, splat(2.12194440e-4f), r);
  V p = fma_(splat(1.0f / 5040), r, splat(1.0f / 720));
  p = fma_(p, r, splat(1.0f / 120));
  p = fma_(p, r, splat(1.0f / 24));
  p = fma_(p, r, splat(1.0f / 6));
  p = fma_(p, r, splat(0.5f));
  p = fma_(p, r, splat(1.0f));
  p = fma_(p, r, splat(1.0f));
  const V scale = (V)(((VI)shifted - (VI)magic + 127) << 23);
  return (V)(~tiny & (VI)(p * scale));
}

/** ln(x) for normal x > 0: exponent times ln(2) plus 2 atanh((m - 1)/(m + 1)) for the mantissa m in [1/sqrt(2), sqrt(2)). */
INLINE V logOf(V x) {
  const VI shifted = (VI)x - 0x3f3504f3;
  const VI exponent = shifted >> 23;
  const V m = (V)((VI)x - (exponent << 23));
  const V one = splat(1.0f), magic = splat(12582912.0f);
  const V n = (V)((VI)magic + exponent) - magic;
  const V s = (m - one) / (m + one), t = s * s;
  V p = fma_(splat(1.0f / 9), t, splat(1.0f / 7));
  p = fma_(p, t, splat(1.0f / 5));
  p = fma_(p, t, splat(1.0f / 3));
  p = fma_(p, t, one);
  const V result = fma_(n, splat(0.693147181f), (s + s) * p);
  return fma_(x, splat(0.0f), result); /* keeps NaN */
}

/* ---- Products ---- */

#if LANES == 16
#define TILE_ROWS 8
#define TILE_VECTORS 2
#elif LANES == 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#elif defined(__wasm_simd128__)
#define TILE_ROWS 4
#define TILE_VECTORS 2
#else
#define TILE_ROWS 6
#define TILE_VECTORS 4
#endif

enum { FROM_ZERO, FROM_BIAS, FROM_OUTPUT };

/**
 * out[i][j] = start + sum over t of a[i * ai + t * at] * b[t * 16 + j], for `rows` x `vectors * LANES` elements.
 * Every `segment` steps of t, a moves on to its next panel.
 */
typedef struct {
  const float *a, *b, *bias;
  float *out;
  long aPanel, bPanel, outPanel; /* floats from one panel to the next */
  int depth, start;
} Product;

#define AT_VECTOR(pointer, panel, v) ((pointer) + ((v) * LANES / PANEL) * (panel) + ((v) * LANES % PANEL))

INLINE void tile(const int rows, const int vectors, const int ai, const int at, const int segment, const Product *product) {
  V sum[8][4];
  const float *a = product->a, *b = product->b;
  const long bPanel = product->bPanel;
  float *out = product->out;
  UNROLL
  for (int i = 0; i < rows; i++)
  UNROLL
    for (int v = 0; v < vectors; v++) {
      if (product->start == FROM_ZERO) sum[i][v] = splat(0.0f);
      else if (product->start == FROM_BIAS) sum[i][v] = load(product->bias + v * LANES);
      else sum[i][v] = load(AT_VECTOR(out + i * PANEL, product->outPanel, v));
    }
  for (int left = product->depth; left > 0; left -= segment) {
    const int count = left < segment ? left : segment;
    const float *as = a;
    for (int t = 0; t < count; t++) {
      V bs[4];
  UNROLL
      for (int v = 0; v < vectors; v++) bs[v] = load(AT_VECTOR(b, bPanel, v));
  UNROLL
      for (int i = 0; i < rows; i++) {
        const V x = splat(as[i * ai]);
  UNROLL
        for (int v = 0; v < vectors; v++) sum[i][v] = fma_(x, bs[v], sum[i][v]);
      }
      as += at;
      b += PANEL;
    }
    a += product->aPanel;
  }
  UNROLL
  for (int i = 0; i < rows; i++)
  UNROLL
    for (int v = 0; v < vectors; v++) store(AT_VECTOR(out + i * PANEL, product->outPanel, v), sum[i][v]);
}

/* acrossRows: a is walked along a row of activations (x @ weight); downRows: along a column (x^T @ delta). */
#define TILE(rows, vectors)                                                                                         \
  static __attribute__((noinline)) void acrossRows##rows##x##vectors(const Product *p) { tile(rows, vectors, PANEL, 1, PANEL, p); } \
  static __attribute__((noinline)) void downRows##rows##x##vectors(const Product *p) { tile(rows, vectors, 1, PANEL, 1 << 30, p); }
#define TILES(vectors) \
  TILE(1, vectors) TILE(2, vectors) TILE(3, vectors) TILE(4, vectors) TILE(5, vectors) TILE(6, vectors) TILE(7, vectors) TILE(8, vectors)
TILES(1)
TILES(2)
#if TILE_VECTORS == 4
TILES(4)
#endif

#define TILE_CASE(kind, rows, vectors) \
  case rows:                           \
    kind##rows##x##vectors(p);         \
    break;
#define TILE_SWITCH(kind, vectors)                                                                              \
  switch (rows) {                                                                                               \
    TILE_CASE(kind, 1, vectors) TILE_CASE(kind, 2, vectors) TILE_CASE(kind, 3, vectors)                         \
    TILE_CASE(kind, 4, vectors) TILE_CASE(kind, 5, vectors) TILE_CASE(kind, 6, vectors)                         \
    TILE_CASE(kind, 7, vectors) TILE_CASE(kind, 8, vectors)                                                     \
  }

INLINE void acrossRows(int rows, int vectors, const Product *p) {
#if TILE_VECTORS == 4
  if (vectors == 4) { TILE_SWITCH(acrossRows, 4) return; }
#endif
  if (vectors == 2) { TILE_SWITCH(acrossRows, 2) } else { TILE_SWITCH(acrossRows, 1) }
}

INLINE void downRows(int rows, int vectors, const Product *p) {
#if TILE_VECTORS == 4
  if (vectors == 4) { TILE_SWITCH(downRows, 4) return; }
#endif
  if (vectors == 2) { TILE_SWITCH(downRows, 2) } else { TILE_SWITCH(downRows, 1) }
}

/** How many vectors the next tile takes: TILE_VECTORS, then smaller powers of two; a tile never straddles half a panel. */
INLINE int tileVectors(int left) {
  if (left >= TILE_VECTORS) return TILE_VECTORS;
  return left >= 2 ? 2 : 1;
}

INLINE int ceilDiv(int a, int b) { return (a + b - 1) / b; }

enum { ACTIVATE_NONE, ACTIVATE_TANH, ACTIVATE_RELU, SLOPE_TANH, SLOPE_RELU };

/** In place on (rows, 16 of each panel) `vectors` wide; SLOPE multiplies by the activation's derivative, from its output h. */
static void epilogue(int kind, float *out, const float *h, long panel, int rows, int vectors) {
  const V zero = splat(0.0f), one = splat(1.0f);
  if (kind == ACTIVATE_NONE) return;
  for (int v = 0; v < vectors; v++) {
    float *o = AT_VECTOR(out, panel, v);
    const float *y = h ? AT_VECTOR(h, panel, v) : 0;
    if (kind == ACTIVATE_TANH)
      for (int i = 0; i < rows; i++) store(o + i * PANEL, tanhOf(load(o + i * PANEL)));
    else if (kind == ACTIVATE_RELU)
      for (int i = 0; i < rows; i++) store(o + i * PANEL, maxOf(zero, load(o + i * PANEL)));
    else if (kind == SLOPE_TANH)
      for (int i = 0; i < rows; i++) {
        const V t = load(y + i * PANEL);
        store(o + i * PANEL, load(o + i * PANEL) * fma_(-t, t, one));
      }
    else
      for (int i = 0; i < rows; i++)
        store(o + i * PANEL, (V)((VI)load(o + i * PANEL) & (VI)(load(y + i * PANEL) > zero)));
  }
}

/** out (rows, columns) = epilogue(x (rows, depth) @ w (depth, columns) + bias); activations have panels of panelRows rows. */
static void forwardProduct(float *out, const float *x, const float *w, const float *bias, int rows, int depth, int columns,
                           int panelRows, int kind, const float *h) {
  const int vectors = ceilDiv(columns, LANES);
  const long panel = (long)panelRows * PANEL;
  Product p;
  p.aPanel = panel;
  p.bPanel = (long)depth * PANEL;
  p.outPanel = panel;
  p.depth = depth;
  p.start = bias ? FROM_BIAS : FROM_ZERO;
  const int tiles = ceilDiv(rows, TILE_ROWS), least = rows / tiles, more = rows % tiles;
  for (int v = 0; v < vectors;) {
    const int width = tileVectors(vectors - v);
    p.b = AT_VECTOR(w, p.bPanel, v);
    p.bias = bias ? bias + v * LANES : 0;
    float *column = AT_VECTOR(out, panel, v);
    for (int i = 0, row = 0; i < tiles; i++) {
      const int count = least + (i < more);
      p.a = x + row * PANEL;
      p.out = column + row * PANEL;
      acrossRows(count, width, &p);
      row += count;
    }
    epilogue(kind, column, h ? AT_VECTOR(h, panel, v) : 0, panel, rows, width);
    v += width;
  }
}

/** gradient (depth, columns) = [gradient +] x (rows, depth)^T @ delta (rows, columns). */
static void gradientProduct(float *gradient, const float *x, const float *delta, int rows, int depth, int columns, int panelRows,
                            int accumulate) {
  const int vectors = ceilDiv(columns, LANES);
  const long panel = (long)panelRows * PANEL;
  Product p;
  p.aPanel = 0;
  p.bPanel = panel;
  p.outPanel = (long)depth * PANEL;
  p.depth = rows;
  p.bias = 0;
  p.start = accumulate ? FROM_OUTPUT : FROM_ZERO;
  for (int v = 0; v < vectors;) {
    const int width = tileVectors(vectors - v);
    p.b = AT_VECTOR(delta, panel, v);
    float *column = AT_VECTOR(gradient, p.outPanel, v);
    for (int k = 0; k < depth; k += PANEL) {
      const int inPanel = depth - k < PANEL ? depth - k : PANEL;
      const int tiles = ceilDiv(inPanel, TILE_ROWS), least = inPanel / tiles, more = inPanel % tiles;
      for (int i = 0, row = 0; i < tiles; i++) {
        const int count = least + (i < more);
        p.a = x + (long)(k / PANEL) * panel + row;
        p.out = column + (long)(k + row) * PANEL;
        downRows(count, width, &p);
        row += count;
      }
    }
    v += width;
  }
}

/** gradient (columns) = [gradient +] the sum of delta's rows: four interleaved sums, (0 + 2) + (1 + 3). */
static void biasGradient(float *gradient, const float *delta, int rows, int columns, int panelRows, int accumulate) {
  const int vectors = ceilDiv(columns, LANES);
  for (int v = 0; v < vectors; v++) {
    const float *d = AT_VECTOR(delta, (long)panelRows * PANEL, v);
    V s0 = splat(0.0f), s1 = s0, s2 = s0, s3 = s0;
    int i = 0;
    for (; i + 4 <= rows; i += 4) {
      s0 += load(d + i * PANEL);
      s1 += load(d + (i + 1) * PANEL);
      s2 += load(d + (i + 2) * PANEL);
      s3 += load(d + (i + 3) * PANEL);
    }
    for (; i < rows; i++) s0 += load(d + i * PANEL);
    const V sum = (s0 + s2) + (s1 + s3);
    store(gradient + v * LANES, accumulate ? load(gradient + v * LANES) + sum : sum);
  }
}

/* Within each four lanes. */
#if LANES == 16
#define UNPACK_LOW(a, b) _mm512_unpacklo_ps(a, b)
#define UNPACK_HIGH(a, b) _mm512_unpackhi_ps(a, b)
#define PAIRS_LOW(a, b) _mm512_shuffle_ps(a, b, 0x44)
#define PAIRS_HIGH(a, b) _mm512_shuffle_ps(a, b, 0xee)
#define FOUR(n) *(const __m128 *)(p + (n) * 4 * PANEL)
/** Four floats each of rows 0, 4, 8, 12. */
INLINE V everyFourthRow(const float *p) {
  const V low = _mm512_insertf32x4(_mm512_castps128_ps512(FOUR(0)), FOUR(1), 1);
  return _mm512_insertf32x4(_mm512_insertf32x4(low, FOUR(2), 2), FOUR(3), 3);
}
#elif LANES == 8
#define UNPACK_LOW(a, b) _mm256_unpacklo_ps(a, b)
#define UNPACK_HIGH(a, b) _mm256_unpackhi_ps(a, b)
#define PAIRS_LOW(a, b) _mm256_shuffle_ps(a, b, 0x44)
#define PAIRS_HIGH(a, b) _mm256_shuffle_ps(a, b, 0xee)
#define FOUR(n) *(const __m128 *)(p + (n) * 4 * PANEL)
INLINE V everyFourthRow(const float *p) { return _mm256_insertf128_ps(_mm256_castps128_ps256(FOUR(0)), FOUR(1), 1); }
#else
#define UNPACK_LOW(a, b) SHUFFLE4(a, b, 0, 4, 1, 5)
#define UNPACK_HIGH(a, b) SHUFFLE4(a, b, 2, 6, 3, 7)
#define PAIRS_LOW(a, b) SHUFFLE4(a, b, 0, 1, 4, 5)
#define PAIRS_HIGH(a, b) SHUFFLE4(a, b, 2, 3, 6, 7)
INLINE V everyFourthRow(const float *p) { return load(p); }
#endif

/** to (columns <= 4, LANES) = from (LANES, columns). */
INLINE void transposeBlock(const float *from, float *to, int columns) {
  const V r0 = everyFourthRow(from), r1 = everyFourthRow(from + PANEL);
  const V r2 = everyFourthRow(from + 2 * PANEL), r3 = everyFourthRow(from + 3 * PANEL);
  const V a = UNPACK_LOW(r0, r1), b = UNPACK_LOW(r2, r3), c = UNPACK_HIGH(r0, r1), d = UNPACK_HIGH(r2, r3);
  store(to, PAIRS_LOW(a, b));
  if (columns > 1) store(to + PANEL, PAIRS_HIGH(a, b));
  if (columns > 2) store(to + 2 * PANEL, PAIRS_LOW(c, d));
  if (columns > 3) store(to + 3 * PANEL, PAIRS_HIGH(c, d));
}

/** to (columns, rows) = from (rows, columns), both in panels. */
static void transpose(float *to, const float *from, int rows, int columns) {
  float rest[LANES * PANEL] __attribute__((aligned(64)));
  const int whole = rows / LANES * LANES;
  for (int i = 0; i < LANES * PANEL; i += LANES) store(rest + i, splat(0.0f));
  for (int c = 0; c < columns; c += PANEL) {
    const float *source = from + (long)(c / PANEL) * rows * PANEL;
    for (int i = whole * PANEL; i < rows * PANEL; i += LANES) store(rest + i - whole * PANEL, load(source + i));
    for (int k = 0; k < PANEL && c + k < columns; k += 4) {
      const int width = columns - c - k < 4 ? columns - c - k : 4;
      for (int r = 0; r < rows; r += LANES) {
        float *target = to + ((long)(r / PANEL) * columns + c + k) * PANEL + r % PANEL;
        if (r == whole) transposeBlock(rest + k, target, width);
        else if (width == 4) transposeBlock(source + r * PANEL + k, target, 4);
        else transposeBlock(source + r * PANEL + k, target, width);
      }
    }
  }
}

/* ---- The minibatch ---- */

/** Philox 4x32-10; see rng.ts. */
static void philox(u32 out[4], u32 x0, u32 x1, u32 x2, u32 x3, u32 key0) {
  u32 key1 = 0;
  for (int round = 0; round < 10; round++) {
    const u64 product0 = (u64)0xd2511f53u * x0, product1 = (u64)0xcd9e8d57u * x2;
    x0 = (u32)(product1 >> 32) ^ x1 ^ key0;
    x1 = (u32)product1;
    x2 = (u32)(product0 >> 32) ^ x3 ^ key1;
    x3 = (u32)product0;
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/** Indices first .. first + rows - 1 of the step's draw; first is a multiple of 4, out has room for rows rounded up to 4. */
static void draw(u32 *out, int first, int rows, u32 examples, u32 seed, u64 step) {
  for (int i = 0; i < rows; i += 4) {
    philox(out + i, (u32)(first + i) / 4, (u32)step, (u32)(step >> 32), 0, seed);
    for (int j = 0; j < 4; j++) out[i + j] = (u32)(((u64)out[i + j] * examples) >> 32);
  }
}

#define FLOATS(arena, offset) ((float *)(arena) + (arena)->offset)

/** Copies the block's examples (rows, contextLength + 1) together; drawn by index, or `first` on in order. */
static const u8 *collect(Arena *arena, int split, int first, int rows, const u32 *indices) {
  const int size = arena->contextLength + 1;
  const u8 *examples = (const u8 *)((float *)arena + arena->examples[split]);
  if (!indices) return examples + (long)first * size;
  u8 *symbols = (u8 *)FLOATS(arena, symbols);
  if (size == 4) { /* the usual context of 3: a word each, so that cache misses overlap */
    for (int i = 0; i < rows; i++) ((u32 *)symbols)[i] = ((const u32 *)examples)[indices[i]];
    return symbols;
  }
  for (int i = 0; i < rows; i++)
    for (int c = 0; c < size; c++) symbols[(long)i * size + c] = examples[(u64)indices[i] * size + c];
  return symbols;
}

/** input (rows, contextLength * embeddingDim) from the embedding's rows, by way of plain rows: 16 floats a copy. */
static void gather(Arena *arena, const u8 *symbols, int rows) {
  const int context = arena->contextLength, dim = arena->embeddingDim, panels = ceilDiv(context * dim, PANEL);
  const int stride = ceilDiv(dim, PANEL) * PANEL;
  const long rowFloats = arena->rowFloats;
  const float *embedding = FLOATS(arena, parameters);
  float *plain = FLOATS(arena, rows), *input = FLOATS(arena, input);
  for (int i = 0; i < rows; i++)
    for (int c = 0; c < context; c++) {
      const float *from = embedding + (long)symbols[(long)i * (context + 1) + c] * stride;
      float *to = plain + i * rowFloats + c * dim;
      for (int k = 0; k < stride; k += LANES) *(VU *)(to + k) = load(from + k);
    }
  for (int q = 0; q < panels; q++)
    for (int i = 0; i < rows; i++)
      for (int k = 0; k < PANEL; k += LANES)
        store(input + ((long)q * arena->blockRows + i) * PANEL + k, load(plain + i * rowFloats + q * PANEL + k));
}

/** Adds delta (rows, contextLength * embeddingDim) into the gradient's rows of the symbols it belongs to. */
static void scatter(Arena *arena, const float *delta, const u8 *symbols, int rows) {
  const int context = arena->contextLength, dim = arena->embeddingDim, panels = ceilDiv(context * dim, PANEL);
  const int stride = ceilDiv(dim, PANEL) * PANEL;
  const long rowFloats = arena->rowFloats;
  float *plain = FLOATS(arena, rows), *gradient = FLOATS(arena, gradients);
  int mask[PANEL] __attribute__((aligned(64)));
  for (int k = 0; k < PANEL; k++) mask[k] = stride - PANEL + k < dim ? -1 : 0;
  for (int q = 0; q < panels; q++)
    for (int i = 0; i < rows; i++)
      for (int k = 0; k < PANEL; k += LANES)
        store(plain + i * rowFloats + q * PANEL + k, load(delta + ((long)q * arena->blockRows + i) * PANEL + k));
  for (int i = 0; i < rows; i++)
    for (int c = 0; c < context; c++) {
      float *to = gradient + (long)symbols[(long)i * (context + 1) + c] * stride;
      const float *from = plain + i * rowFloats + c * dim;
      for (int k = 0; k < stride - PANEL; k += LANES) store(to + k, load(to + k) + *(const VU *)(from + k));
      for (int k = 0; k < PANEL; k += LANES) {
        const V value = (V)((VI) * (const VU *)(from + stride - PANEL + k) & *(const VI *)(mask + k));
        store(to + stride - PANEL + k, load(to + stride - PANEL + k) + value);
      }
    }
}

/* ---- Loss ---- */

/**
 * Replaces the logits (rows, vocabSize) by the gradient of sum over rows of cross-entropy times `scale` (when scale > 0)
 * and returns the sum of the rows' cross-entropies, in nats.
 */
static double softmax(Arena *arena, float *logits, const u8 *symbols, int rows, float scale) {
  const int size = arena->contextLength + 1, vocab = arena->vocabSize, panels = ceilDiv(vocab, PANEL);
  const long panel = (long)arena->blockRows * PANEL;
  float *rowSum = FLOATS(arena, rowSum), *rowTarget = FLOATS(arena, rowTarget);
  int mask[PANEL] __attribute__((aligned(64)));
  for (int k = 0; k < PANEL; k++) mask[k] = (panels - 1) * PANEL + k < vocab ? -1 : 0;
  const V lowest = splat(-3.4e38f);
  for (int i = 0; i < rows; i++) {
    float *row = logits + i * PANEL;
    const int target = symbols[(long)i * size + size - 1];
    float *targetLogit = row + (target / PANEL) * panel + target % PANEL;
    V part[PER_PANEL];
    UNROLL
    for (int k = 0; k < PER_PANEL; k++)
      part[k] = pick(*(const VI *)(mask + k * LANES), load(row + (panels - 1) * panel + k * LANES), lowest);
    for (int q = 0; q < panels - 1; q++)
      UNROLL
      for (int k = 0; k < PER_PANEL; k++) part[k] = maxOf(part[k], load(row + q * panel + k * LANES));
    const V top = mostOf(part);
    rowTarget[i] = *targetLogit - top[0];
    UNROLL
    for (int k = 0; k < PER_PANEL; k++) part[k] = splat(0.0f);
    for (int q = 0; q < panels; q++)
      UNROLL
      for (int k = 0; k < PER_PANEL; k++) {
        float *at = row + q * panel + k * LANES;
        V e = expOf(load(at) - top);
        if (q == panels - 1) e = (V)((VI)e & *(const VI *)(mask + k * LANES));
        store(at, e);
        part[k] += e;
      }
    const float sum = sumOf(part)[0];
    rowSum[i] = sum;
    if (scale > 0) {
      const V factor = splat(scale / sum);
      for (int q = 0; q < panels; q++)
        UNROLL
        for (int k = 0; k < PER_PANEL; k++) {
          float *at = row + q * panel + k * LANES;
          store(at, load(at) * factor);
        }
      *targetLogit -= scale;
    }
  }
  double total = 0;
  for (int i = 0; i < rows; i += LANES) store(rowSum + i, logOf(load(rowSum + i)));
  for (int i = 0; i < rows; i++) total += (double)(rowSum[i] - rowTarget[i]);
  return total;
}

/* ---- One block: forward, and backward into the gradients ---- */

/**
 * table (contextLength * vocabSize, fanOut of the first layer): what a symbol at a position adds to the layer's sums. An example's
 * first layer is then contextLength additions, where there are far more examples than symbols.
 */
static void makeTable(Arena *arena) {
  const Layer *layer = arena->layers;
  const int context = arena->contextLength, dim = arena->embeddingDim, vocab = arena->vocabSize;
  const int stride = ceilDiv(dim, PANEL) * PANEL;
  float *out = FLOATS(arena, table);
  for (int q = 0; q < ceilDiv(layer->fanOut, PANEL); q++) {
    const float *weight = (float *)arena + layer->weight + (long)q * layer->fanIn * PANEL;
    for (int c = 0; c < context; c++, weight += dim * PANEL)
      for (int s = 0; s < vocab; s++, out += PANEL) {
        const float *symbol = FLOATS(arena, parameters) + (long)s * stride;
        V sum[PER_PANEL];
        UNROLL
        for (int k = 0; k < PER_PANEL; k++) sum[k] = splat(0.0f);
        for (int d = 0; d < dim; d++) {
          const V x = splat(symbol[d]);
          UNROLL
          for (int k = 0; k < PER_PANEL; k++) sum[k] = fma_(x, load(weight + d * PANEL + k * LANES), sum[k]);
        }
        UNROLL
        for (int k = 0; k < PER_PANEL; k++) store(out + k * LANES, sum[k]);
      }
  }
}

/** The first layer's output (rows, fanOut), from the table. */
static void lookUp(Arena *arena, const u8 *symbols, int rows) {
  const Layer *layer = arena->layers;
  const int context = arena->contextLength, vocab = arena->vocabSize;
  const long panel = (long)arena->blockRows * PANEL;
  const int kind = arena->relu ? ACTIVATE_RELU : ACTIVATE_TANH;
  for (int q = 0; q < ceilDiv(layer->fanOut, PANEL); q++) {
    const float *bias = (float *)arena + layer->bias + q * PANEL;
    const float *table = FLOATS(arena, table) + (long)q * context * vocab * PANEL;
    float *out = (float *)arena + layer->output + q * panel;
    for (int i = 0; i < rows; i++) {
      const u8 *example = symbols + (long)i * (context + 1);
      V sum[PER_PANEL];
      UNROLL
      for (int k = 0; k < PER_PANEL; k++) sum[k] = load(bias + k * LANES);
      for (int c = 0; c < context; c++)
        UNROLL
        for (int k = 0; k < PER_PANEL; k++) sum[k] += load(table + (c * vocab + example[c]) * PANEL + k * LANES);
      UNROLL
      for (int k = 0; k < PER_PANEL; k++) store(out + i * PANEL + k * LANES, sum[k]);
    }
    epilogue(kind, out, 0, panel, rows, PER_PANEL);
  }
}

/** Activations of all layers, from `first` on; those before it are there already. */
static void forward(Arena *arena, const u8 *symbols, int rows, int first) {
  if (first == 0) gather(arena, symbols, rows);
  const float *x = first == 0 ? FLOATS(arena, input) : (float *)arena + arena->layers[first - 1].output;
  for (int l = first; l < arena->layerCount; l++) {
    const Layer *layer = arena->layers + l;
    float *out = (float *)arena + layer->output;
    const int kind = l + 1 == arena->layerCount ? ACTIVATE_NONE : arena->relu ? ACTIVATE_RELU : ACTIVATE_TANH;
    forwardProduct(out, x, (float *)arena + layer->weight, (float *)arena + layer->bias, rows, layer->fanIn, layer->fanOut,
                   arena->blockRows, kind, 0);
    x = out;
  }
}

static void backward(Arena *arena, const u8 *symbols, int rows, int accumulate) {
  const int last = arena->layerCount - 1, panelRows = arena->blockRows;
  const long toGradient = arena->gradients - arena->parameters;
  const float *delta = (float *)arena + arena->layers[last].output;
  for (int l = last; l >= 0; l--) {
    const Layer *layer = arena->layers + l;
    const float *x = (float *)arena + (l > 0 ? arena->layers[l - 1].output : arena->input);
    float *next = (float *)arena + ((last - l) & 1 ? arena->deltaB : arena->deltaA);
    gradientProduct((float *)arena + layer->weight + toGradient, x, delta, rows, layer->fanIn, layer->fanOut, panelRows, accumulate);
    biasGradient((float *)arena + layer->bias + toGradient, delta, rows, layer->fanOut, panelRows, accumulate);
    const int kind = l == 0 ? ACTIVATE_NONE : arena->relu ? SLOPE_RELU : SLOPE_TANH;
    forwardProduct(next, delta, (float *)arena + layer->transposed, 0, rows, layer->fanOut, layer->fanIn, panelRows, kind, x);
    delta = next;
  }
  scatter(arena, delta, symbols, rows);
}

/* ---- Optimizers: PyTorch's update rules (lion: optax's); scalars in double, as Python has them, then rounded to float ---- */

/* The kernelId of each in schemas/optimizers.ts. */
enum { OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW, OPTIMIZER_RMSPROP, OPTIMIZER_LION };

/** One update of all parameters; momentum: that of this step, or beta1. */
typedef void Update(Arena *arena, double lr, double momentum);

static double power(double base, double exponent) {
  double result = 1;
  for (u64 n = (u64)exponent; n; n >>= 1, base *= base)
    if (n & 1) result *= base;
  return result;
}

static void updateSgd(Arena *arena, double lr, double momentum) {
  const long size = arena->parameterFloats;
  float *p = FLOATS(arena, parameters), *buffer = FLOATS(arena, slots);
  const float *g = FLOATS(arena, gradients);
  const V rate = splat((float)-lr), decay = splat((float)arena->weightDecay);
  if (momentum == 0) {
    for (long i = 0; i < size; i += LANES) {
      const V w = load(p + i);
      store(p + i, fma_(rate, fma_(decay, w, load(g + i)), w));
    }
    return;
  }
  const int first = arena->slotsUsed == 0; /* the buffer starts as the first gradient, undamped */
  const V keep = splat(first ? 0.0f : (float)momentum), take = splat(first ? 1.0f : (float)(1 - arena->dampening));
  const V look = splat((float)momentum);
  for (long i = 0; i < size; i += LANES) {
    const V w = load(p + i), d = fma_(decay, w, load(g + i));
    const V b = fma_(keep, load(buffer + i), take * d);
    store(buffer + i, b);
    store(p + i, fma_(rate, arena->nesterov ? fma_(look, b, d) : b, w));
  }
  arena->slotsUsed = 1;
}

static void updateAdam(Arena *arena, double lr, double beta1) {
  const long size = arena->parameterFloats;
  float *p = FLOATS(arena, parameters), *m = FLOATS(arena, slots), *v = m + size;
  const float *g = FLOATS(arena, gradients);
  const double count = arena->step + 1, correction2 = __builtin_sqrt(1 - power(arena->beta2, count));
  const int decoupled = arena->optimizer == OPTIMIZER_ADAMW;
  const V decay = splat(decoupled ? 0.0f : (float)arena->weightDecay);
  const V shrink = splat(decoupled ? (float)(1 - lr * arena->weightDecay) : 1.0f);
  const V rate = splat((float)-(lr / (1 - power(beta1, count)))), take = splat((float)(1 - beta1));
  const V keep2 = splat((float)arena->beta2), take2 = splat((float)(1 - arena->beta2));
  const V correct = splat((float)correction2), eps = splat((float)arena->eps);
  for (long i = 0; i < size; i += LANES) {
    const V w = load(p + i) * shrink, d = fma_(decay, w, load(g + i));
    const V old = load(m + i), mean = fma_(take, d - old, old);
    const V square = fma_(take2 * d, d, keep2 * load(v + i));
    store(m + i, mean);
    store(v + i, square);
    store(p + i, fma_(rate, mean / (squareRoot(square) / correct + eps), w));
  }
  arena->slotsUsed = 2;
}

static void updateRmsprop(Arena *arena, double lr, double momentum) {
  const long size = arena->parameterFloats;
  const int centered = arena->centered;
  float *p = FLOATS(arena, parameters), *s = FLOATS(arena, slots), *a = s + size, *buffer = centered ? a + size : a;
  const float *g = FLOATS(arena, gradients);
  const V decay = splat((float)arena->weightDecay), rate = splat((float)-lr), keep = splat((float)momentum);
  const V alpha = splat((float)arena->alpha), take = splat((float)(1 - arena->alpha)), eps = splat((float)arena->eps);
  for (long i = 0; i < size; i += LANES) {
    const V w = load(p + i), d = fma_(decay, w, load(g + i));
    const V square = fma_(take * d, d, alpha * load(s + i));
    store(s + i, square);
    V variance = square;
    if (centered) {
      const V old = load(a + i), mean = fma_(take, d - old, old);
      store(a + i, mean);
      variance = maxOf(splat(0.0f), fma_(-mean, mean, square));
    }
    V change = d / (squareRoot(variance) + eps);
    if (momentum > 0) {
      change = fma_(keep, load(buffer + i), change);
      store(buffer + i, change);
    }
    store(p + i, fma_(rate, change, w));
  }
  const int used = 1 + centered + (momentum > 0);
  if (used > arena->slotsUsed) arena->slotsUsed = used;
}

/** -1, 0 or 1; NaN for NaN. */
INLINE V signOf(V x) {
  const V zero = splat(0.0f), one = splat(1.0f);
  const VI isSigned = (VI)(x > zero) | (VI)(x < zero);
  return pick(isSigned, (V)((VI)one | ((VI)x & (VI)-zero)), x);
}

static void updateLion(Arena *arena, double lr, double beta1) {
  const long size = arena->parameterFloats;
  float *p = FLOATS(arena, parameters), *m = FLOATS(arena, slots);
  const float *g = FLOATS(arena, gradients);
  const V decay = splat((float)arena->weightDecay), rate = splat((float)-lr);
  const V look = splat((float)(1 - beta1)), take = splat((float)(1 - arena->beta2));
  for (long i = 0; i < size; i += LANES) {
    const V w = load(p + i), old = load(m + i), change = load(g + i) - old;
    store(m + i, fma_(take, change, old));
    store(p + i, fma_(rate, fma_(decay, w, signOf(fma_(look, change, old))), w));
  }
  arena->slotsUsed = 1;
}

/** The rule of an optimizer; NULL for one that this kernel does not know. */
static Update *updateOf(int optimizer) {
  switch (optimizer) {
    case OPTIMIZER_SGD: return updateSgd;
    case OPTIMIZER_ADAM: return updateAdam;
    case OPTIMIZER_ADAMW: return updateAdam;
    case OPTIMIZER_RMSPROP: return updateRmsprop;
    case OPTIMIZER_LION: return updateLion;
    default: return 0;
  }
}

static int isFinite(float x) {
  union { float f; u32 u; } bits = {x};
  return (bits.u & 0x7f800000u) != 0x7f800000u;
}

/**
 * Draws the batch of the step after the current one into the second half of the indices, and asks for its examples: they lie
 * all over a table larger than the first cache.
 */
static void drawAhead(Arena *arena) {
  u32 *next = (u32 *)FLOATS(arena, indices) + arena->blockRows;
  const char *examples = (const char *)((float *)arena + arena->examples[0]);
  draw(next, 0, arena->batchSize, (u32)arena->exampleCount[0], (u32)arena->seed, (u64)arena->step + 1);
  for (int i = 0; i < arena->batchSize; i++) __builtin_prefetch(examples + (u64)next[i] * (arena->contextLength + 1));
}

/**
 * One step: the loss before the update. The update is left out when the loss is not finite. `drawn`: drawAhead has drawn its batch;
 * `ahead`: draws the next one's.
 */
static float trainStep(Arena *arena, Update *update, double lr, double momentum, int drawn, int ahead) {
  const int batch = arena->batchSize;
  const float scale = (float)(1.0 / batch);
  u32 *indices = (u32 *)FLOATS(arena, indices);
  double total = 0;
  for (int l = 0; l < arena->layerCount; l++) {
    const Layer *layer = arena->layers + l;
    transpose((float *)arena + layer->transposed, (float *)arena + layer->weight, layer->fanIn, layer->fanOut);
  }
  float *gradient = FLOATS(arena, gradients);
  const long embeddingFloats = (long)arena->vocabSize * ceilDiv(arena->embeddingDim, PANEL) * PANEL;
  for (long i = 0; i < embeddingFloats; i += LANES) store(gradient + i, splat(0.0f));
  for (int first = 0; first < batch; first += arena->blockRows) {
    const int rows = batch - first < arena->blockRows ? batch - first : arena->blockRows;
    if (drawn) {
      for (int i = 0; i < rows; i++) indices[i] = indices[arena->blockRows + i];
    } else if (!arena->fullBatch) draw(indices, first, rows, (u32)arena->exampleCount[0], (u32)arena->seed, (u64)arena->step);
    const u8 *symbols = collect(arena, 0, first, rows, arena->fullBatch ? 0 : indices);
    if (ahead) drawAhead(arena);
    forward(arena, symbols, rows, 0);
    total += softmax(arena, (float *)arena + arena->layers[arena->layerCount - 1].output, symbols, rows, scale);
    backward(arena, symbols, rows, first > 0);
  }
  const float loss = (float)(total / batch);
  if (!isFinite(loss)) return loss;
  update(arena, lr, momentum);
  arena->step += 1;
  return loss;
}

/* ---- Entry points; the caller has checked that count <= chunkCapacity and that arena is 64-byte aligned ---- */

/**
 * Runs `count` steps with arena->lr (and arena->momentum when cycled); returns how many losses it wrote (Engine.steps), or -1,
 * with nothing done, for an optimizer that it does not know.
 */
int EXPORT(steps)(Arena *arena, int count, int cycled) {
  const double *lr = (const double *)FLOATS(arena, lr), *momentum = (const double *)FLOATS(arena, momentum);
  float *loss = FLOATS(arena, loss);
  Update *const update = updateOf(arena->optimizer);
  if (!update) return -1;
  const int oneBlock = !arena->fullBatch && arena->batchSize <= arena->blockRows;
  for (int i = 0; i < count; i++) {
    loss[i] = trainStep(arena, update, lr[i], cycled ? momentum[i] : arena->momentumDefault, oneBlock && i > 0, oneBlock && i + 1 < count);
    if (!isFinite(loss[i])) return i + 1;
  }
  return count;
}

/**
 * Sum of the cross-entropies, in nats, over one block of a split (0 train, 1 validation, 2 test): its examples from `first` on,
 * at most blockRows of them. A split's first block comes first, since it makes the table for those after it.
 */
double EXPORT(evaluate)(Arena *arena, int split, int first) {
  const int left = arena->exampleCount[split] - first, rows = left < arena->blockRows ? left : arena->blockRows;
  const u8 *symbols = collect(arena, split, first, rows, 0);
  const int tabled = arena->exampleCount[split] >= arena->tableLeast;
  if (tabled && first == 0) makeTable(arena);
  if (tabled) lookUp(arena, symbols, rows);
  forward(arena, symbols, rows, tabled);
  return softmax(arena, (float *)arena + arena->layers[arena->layerCount - 1].output, symbols, rows, 0);
}
