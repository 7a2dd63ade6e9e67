/// Float rows times weights of 8 or 4 bits, which become float in registers, for one instruction set; expanded from:
///
/// - `ISA`, `LANES`, `VECTORS`, `MOST_ROWS`: as for the float32 Gemm of the instruction set
/// - `STREAM_ROWS(X)`: X(rows, panels) for each number of rows, with the panels it reads at once; `STREAM_SHAPES(X)`: the
///   same, and one panel for each number of rows
/// - `PREFETCH`: rows of codes that are fetched ahead
/// - `KEEP_ORDER(v)`: keeps the compiler from working on the next vector before `v` is computed, which takes more registers
///   than there are
///
/// An element of the result is computed in the same order as by the float32 Gemm of the weights (code - zero) * scale.

#include <string.h>

#include "declarations.h"
#include "macros.h"

#pragma STDC FP_CONTRACT OFF

#define NR (LANES * VECTORS)

typedef float vector __attribute__((ext_vector_type(LANES)));
typedef int32_t int_vector __attribute__((ext_vector_type(LANES)));
typedef uint8_t byte_vector __attribute__((ext_vector_type(LANES)));

/// Bytes of a panel's codes.
INLINE size_t panel_bytes(const nn_code_panels *m) { return (m->bits == 8 ? m->depth : (m->depth + 1) / 2) * NR; }

/// LANES codes as integers: of two rows of k, the even one in the low halves.
INLINE void load_codes(int_vector *v, const uint8_t *p) {
  byte_vector bytes;
  memcpy(&bytes, p, sizeof bytes);
  *v = __builtin_convertvector(bytes, int_vector);
}

/// (code - zero) * scale, rounded once; `offset` is the zero point, or -zero * scale where that is exact.
INLINE void weights_of(vector *w, const int_vector *codes, const vector *scale, const vector *offset, bool is_exact) {
  vector code = __builtin_convertvector(*codes, vector);
  *w = is_exact ? __builtin_elementwise_fma(code, *scale, *offset) : (code - *offset) * *scale;
}

/// Scales and offsets of one block for some panels; `first` is the place of the first panel's, `stride` that to the next.
INLINE void load_scaling(const nn_code_panels *m, size_t first, size_t stride, size_t panels, vector *scales,
                         vector *offsets) {
  UNROLL for (size_t j = 0; j < panels * VECTORS; j++) {
    size_t place = first + j / VECTORS * stride + j % VECTORS * LANES;
    memcpy(&scales[j], m->scales + place, sizeof scales[j]);
    if (m->zeros) {
      int_vector codes;
      load_codes(&codes, m->zeros + place);
      offsets[j] = __builtin_convertvector(codes, vector);
    } else {
      offsets[j] = scales[j] * -m->zero;
    }
  }
}

INLINE void add_block(size_t rows, size_t vectors, vector sums[rows][vectors], float *c, size_t ldc, size_t columns,
                      const float *bias, bool accumulates) {
  UNROLL for (size_t i = 0; i < rows; i++) UNROLL for (size_t j = 0; j < vectors; j++) {
    size_t first = j * LANES;
    vector v = sums[i][j], other;
    if (columns >= first + LANES) {
      float *target = c + i * ldc + first;
      if (accumulates) {
        memcpy(&other, target, sizeof other);
        v = other + v;
      }
      if (bias) {
        memcpy(&other, bias + first, sizeof other);
        v = v + other;
      }
      memcpy(target, &v, sizeof v);
    } else {
      for (size_t lane = 0; first + lane < columns; lane++) {
        float *target = c + i * ldc + first + lane, value = v[lane];
        if (accumulates) value = *target + value;
        *target = bias ? value + bias[first + lane] : value;
      }
    }
  }
}

/// The `h`th row of weights of LANES bytes.
#define WEIGHTS(right, BITS, bytes, h, j) \
  do { \
    int_vector code = BITS == 8 ? bytes : h == 0 ? bytes & 15 : bytes >> 4; \
    weights_of(&right, &code, &scales[j], &offsets[j], is_exact); \
  } while (0)

/// One step of k, `COUNT` rows of weights: one vector of bytes after the other for a few rows, else one row of weights
/// after the other, so that the registers suffice.
#define STEP(BITS, R, P, COUNT) \
  do { \
    int_vector bytes[P * VECTORS]; \
    UNROLL for (size_t j = 0; j < P * VECTORS; j++) { \
      const uint8_t *p = codes + j / VECTORS * stride + j % VECTORS * LANES; \
      load_codes(&bytes[j], p); \
      if (j % VECTORS * LANES % 64 == 0) __builtin_prefetch(p + PREFETCH * NR); \
      if (R > 2) continue; \
      UNROLL for (size_t h = 0; h < COUNT; h++) { \
        vector right; \
        WEIGHTS(right, BITS, bytes[j], h, j); \
        UNROLL for (size_t i = 0; i < R; i++) \
            sums[i][j] = __builtin_elementwise_fma((vector)a[i * lda + k + h], right, sums[i][j]); \
      } \
      if (BITS == 4) UNROLL for (size_t i = 0; i < R; i++) KEEP_ORDER(sums[i][j]); \
    } \
    if (R > 2) UNROLL for (size_t h = 0; h < COUNT; h++) { \
      vector right[P * VECTORS]; \
      UNROLL for (size_t j = 0; j < P * VECTORS; j++) WEIGHTS(right[j], BITS, bytes[j], h, j); \
      UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < P * VECTORS; j++) \
          sums[i][j] = __builtin_elementwise_fma((vector)a[i * lda + k + h], right[j], sums[i][j]); \
    } \
  } while (0)

/// All of k for R rows and P panels.
#define DEFINE_STREAM(BITS, R, P) \
  INLINE void stream_form_##BITS##_##R##x##P(const nn_code_panels *m, size_t panel, const float *a, size_t lda, \
      float *c, size_t ldc, size_t columns, const float *bias, bool is_exact) { \
    size_t depth = m->depth, stride = panel_bytes(m), start = 0; \
    size_t scale_stride = (depth + m->block - 1) / m->block * NR, scaling = panel * scale_stride, next_block = 0; \
    const uint8_t *codes = m->codes + panel * stride; \
    vector scales[P * VECTORS], offsets[P * VECTORS]; \
    do { \
      size_t end = depth - start > nn_gemm_block_depth ? start + nn_gemm_block_depth : depth; \
      vector sums[R][P * VECTORS]; \
      UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < P * VECTORS; j++) sums[i][j] = 0; \
      for (size_t k = start; k < end;) { \
        if (k == next_block) { \
          load_scaling(m, scaling, scale_stride, P, scales, offsets); \
          scaling += NR; \
          next_block = k + m->block; \
        } \
        size_t stop = next_block < end ? next_block : end; \
        _Pragma("clang loop unroll(disable)") for (; k + 8 / BITS <= stop; k += 8 / BITS, codes += NR) \
            STEP(BITS, R, P, 8 / BITS); \
        if (k < stop) { \
          STEP(BITS, R, P, 1); \
          k++; \
        } \
      } \
      add_block(R, P * VECTORS, sums, c, ldc, columns, end == depth ? bias : NULL, start > 0); \
      start = end; \
    } while (start < depth); \
  } \
  static __attribute__((noinline)) void stream_##BITS##_##R##x##P(const nn_code_panels *m, size_t panel, \
      const float *a, size_t lda, float *c, size_t ldc, size_t columns, const float *bias) { \
    if (m->zeros) stream_form_##BITS##_##R##x##P(m, panel, a, lda, c, ldc, columns, bias, false); \
    else stream_form_##BITS##_##R##x##P(m, panel, a, lda, c, ldc, columns, bias, true); \
  }

#define DEFINE_STREAMS(R, P) DEFINE_STREAM(8, R, P) DEFINE_STREAM(4, R, P)
STREAM_SHAPES(DEFINE_STREAMS)

static void stream(const nn_code_panels *m, size_t panel, size_t rows, const float *a, size_t lda, float *c,
                   size_t ldc, size_t columns, const float *bias) {
  size_t j = 0;
  switch (rows) {
#define X(R, P) \
  case R: \
    for (; j + (P - 1) * NR < columns; j += P * NR) \
      (m->bits == 8 ? stream_8_##R##x##P : stream_4_##R##x##P)(m, panel + j / NR, a, lda, c + j, ldc, columns - j, \
                                                               bias ? bias + j : NULL); \
    if (P > 1) \
      for (; j < columns; j += NR) \
        (m->bits == 8 ? stream_8_##R##x1 : stream_4_##R##x1)(m, panel + j / NR, a, lda, c + j, ldc, columns - j, \
                                                             bias ? bias + j : NULL); \
    break;
    STREAM_ROWS(X)
#undef X
  }
}

static void expand(const nn_code_panels *m, size_t panel, float *restrict target) {
  const uint8_t *codes = m->codes + panel * panel_bytes(m);
  size_t blocks = (m->depth + m->block - 1) / m->block;
  vector scales[VECTORS], offsets[VECTORS];
  for (size_t k = 0; k < m->depth; k++, target += NR) {
    if (k % m->block == 0) load_scaling(m, (panel * blocks + k / m->block) * NR, 0, 1, scales, offsets);
    UNROLL for (size_t j = 0; j < VECTORS; j++) {
      int_vector bytes;
      vector w;
      load_codes(&bytes, codes + (m->bits == 8 ? k : k / 2) * NR + j * LANES);
      if (m->bits == 4) bytes = k % 2 ? bytes >> 4 : bytes & 15;
      weights_of(&w, &bytes, &scales[j], &offsets[j], m->zeros == NULL);
      memcpy(target + j * LANES, &w, sizeof w);
    }
  }
}

const nn_gemm_codes_kernel CONCAT(gemm_codes, ISA) = {
    "gemm_codes__" STRING(ISA), JOIN(nn_isa_, ISA), NR, MOST_ROWS, stream, expand,
};
