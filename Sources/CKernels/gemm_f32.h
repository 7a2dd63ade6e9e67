/// The float32 Gemm kernels of one instruction set, expanded from these definitions:
///
/// - `ISA`: the suffix; `LANES`: floats in a register; `VECTORS`: registers across a panel (NR = LANES * VECTORS)
/// - `MR`: rows of the tile; `TILE_ROWS(X)`: X(1) ... X(MR)
/// - `STREAM_ROWS`, `STREAM_SHAPES(X)`: X(rows, panels) for each number of rows the streaming kernel takes, with the
///   panels it reads at once
/// - `TILE_NAME`: `gemm_f32_MRxNR`
/// - `TILE_PREFETCH`, `STREAM_PREFETCH`: steps of k that the tile and the streams together fetch ahead
///
/// Every kernel gives an element the same sequence of operations: one FMA chain from zero over a k-block in ascending
/// order, the block sums added in ascending order, the bias added last.

#include <string.h>

#include "declarations.h"

#pragma STDC FP_CONTRACT OFF

#define NR (LANES * VECTORS)
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define CONCAT(a, b) JOIN(JOIN(a, __), b)
#define STRING_(a) #a
#define STRING(a) STRING_(a)
#define INLINE static inline __attribute__((always_inline))
/// Whether vector j of a panel row starts a cache line.
#define IS_LINE(j) ((j) * LANES % 16 == 0)
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float vector __attribute__((ext_vector_type(LANES)));
/// A float that may lie at any address.
typedef float unaligned_float __attribute__((aligned(1)));

INLINE void load_vector(vector *v, const float *p) { memcpy(v, p, sizeof *v); }
INLINE void store_vector(const vector *v, float *p) { memcpy(p, v, sizeof *v); }

/// Loads `count` <= LANES values; the other lanes are zero.
INLINE void load_part(vector *v, const float *p, size_t count) {
#if LANES == 16
  *v = (vector)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
#else
  float part[LANES] = {0};
  for (size_t i = 0; i < count; i++) part[i] = p[i];
  load_vector(v, part);
#endif
}

INLINE void store_part(const vector *v, float *p, size_t count) {
#if LANES == 16
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)*v);
#else
  float part[LANES];
  store_vector(v, part);
  for (size_t i = 0; i < count; i++) p[i] = part[i];
#endif
}

/// Adds the block sums of one row to the running totals in `c`, and the bias to the last.
INLINE void finish_row(const vector *sums, size_t vectors, float *c, size_t columns, const float *bias,
                       bool accumulate) {
  UNROLL for (size_t j = 0; j < vectors; j++) {
    size_t first = j * LANES;
    vector v = sums[j], other;
    if (columns >= first + LANES) {
      if (accumulate) {
        load_vector(&other, c + first);
        v = other + v;
      }
      if (bias) {
        load_vector(&other, bias + first);
        v = v + other;
      }
      store_vector(&v, c + first);
    } else if (columns > first) {
      if (accumulate) {
        load_part(&other, c + first, columns - first);
        v = other + v;
      }
      if (bias) {
        load_part(&other, bias + first, columns - first);
        v = v + other;
      }
      store_part(&v, c + first, columns - first);
    }
  }
}

#define DEFINE_TILE(R) \
  static __attribute__((noinline)) void tile_##R(size_t depth, const float *restrict a, const float *restrict b, \
      float *restrict c, size_t ldc, size_t columns, const float *bias, bool accumulate, const float *next, \
      size_t next_step) { \
    vector sums[R][VECTORS]; \
    UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < VECTORS; j++) sums[i][j] = 0; \
    UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < VECTORS; j++) \
        if (IS_LINE(j)) __builtin_prefetch(c + i * ldc + j * LANES, 0, 2); \
    for (size_t k = 0; k < depth; k++, a += R, b += NR, next += next_step) { \
      vector right[VECTORS]; \
      __builtin_prefetch(next, 0, 2); \
      UNROLL for (size_t j = 0; j < VECTORS; j++) { \
        load_vector(&right[j], b + j * LANES); \
        if (IS_LINE(j)) __builtin_prefetch(b + TILE_PREFETCH * NR + j * LANES); \
      } \
      UNROLL for (size_t i = 0; i < R; i++) { \
        vector left = a[i]; \
        UNROLL for (size_t j = 0; j < VECTORS; j++) sums[i][j] = \
            __builtin_elementwise_fma(left, right[j], sums[i][j]); \
      } \
    } \
    UNROLL for (size_t i = 0; i < R; i++) \
        finish_row(sums[i], VECTORS, c + i * ldc, columns, bias, accumulate); \
  }

#define DEFINE_STREAM(name, R, P) \
  static __attribute__((noinline)) void name##_##R(size_t depth, const float *restrict a, size_t lda, \
      const float *restrict b, float *restrict c, size_t ldc, size_t columns, const float *bias) { \
    size_t stride = depth * NR, start = 0; \
    do { \
      size_t end = depth - start > nn_gemm_block_depth ? start + nn_gemm_block_depth : depth; \
      vector sums[R][P * VECTORS]; \
      UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < P * VECTORS; j++) sums[i][j] = 0; \
      for (size_t k = start; k < end; k++, b += NR) { \
        vector right[P * VECTORS]; \
        UNROLL for (size_t j = 0; j < P * VECTORS; j++) { \
          const float *p = b + j / VECTORS * stride + j % VECTORS * LANES; \
          load_vector(&right[j], p); \
          if (IS_LINE(j)) __builtin_prefetch(p + STREAM_PREFETCH / P * NR); \
        } \
        UNROLL for (size_t i = 0; i < R; i++) { \
          vector left = a[i * lda + k]; \
          UNROLL for (size_t j = 0; j < P * VECTORS; j++) sums[i][j] = \
              __builtin_elementwise_fma(left, right[j], sums[i][j]); \
        } \
      } \
      UNROLL for (size_t i = 0; i < R; i++) \
          finish_row(sums[i], P * VECTORS, c + i * ldc, columns, end == depth ? bias : NULL, start > 0); \
      start = end; \
    } while (start < depth); \
  }

#define DEFINE_STREAMS(R, P) \
  DEFINE_STREAM(stream_group, R, P) \
  DEFINE_STREAM(stream_single, R, 1)

TILE_ROWS(DEFINE_TILE)
STREAM_SHAPES(DEFINE_STREAMS)

static void tile(size_t rows, size_t depth, const float *a, const float *b, float *c, size_t ldc, size_t columns,
                 const float *bias, bool accumulate, const float *next, size_t next_step) {
  switch (rows) {
#define X(R) \
  case R: tile_##R(depth, a, b, c, ldc, columns, bias, accumulate, next, next_step); break;
    TILE_ROWS(X)
#undef X
  }
}

static void stream(size_t rows, size_t depth, const float *a, size_t lda, const float *b, float *c, size_t ldc,
                   size_t columns, const float *bias) {
  size_t j = 0;
  switch (rows) {
#define X(R, P) \
  case R: \
    for (; j + (P - 1) * NR < columns; j += P * NR) \
      stream_group_##R(depth, a, lda, b + j * depth, c + j, ldc, columns - j, bias ? bias + j : NULL); \
    for (; j < columns; j += NR) \
      stream_single_##R(depth, a, lda, b + j * depth, c + j, ldc, columns - j, bias ? bias + j : NULL); \
    break;
    STREAM_SHAPES(X)
#undef X
  }
}

#include "gemm_f32_pack.h"

const nn_gemm_f32_kernel CONCAT(TILE_NAME, ISA) = {
    STRING(CONCAT(TILE_NAME, ISA)), JOIN(nn_isa_, ISA), MR, NR, STREAM_ROWS, tile, stream, pack_a, pack_b,
};
