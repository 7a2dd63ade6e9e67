/// Float rows times weights of 8 or 4 bits, which become float in registers, for one instruction set; expanded from:
///
/// - `ISA`, `LANES`, `VECTORS`, `MOST_ROWS`: as for the float32 Gemm of the instruction set
/// - `STREAM_ROWS(X)`: X(rows, panels) for each number of rows, with the panels it reads at once; `STREAM_SHAPES(X)`: the
///   same, and one panel for each number of rows
/// - `PREFETCH`: rows of 8-bit codes that are fetched ahead
/// - `BY_VECTOR`: rows up to which one vector of codes is worked on after the other, which takes fewer registers but waits for
///   each sum; `KEEP_ORDER(v)`: keeps the compiler from mixing them up
/// - `LOOK_UP(words, table)`: where there is such an instruction, of a table of 16 floats those that the lowest four bits of
///   each word name
///
/// Every kernel gives an element the same sequence of operations. What shares a scale within a block of
/// `nn_gemm_block_depth` is a group: its products x * (code - zero) are one FMA chain from zero in ascending k. The sums of
/// the groups of a block, each times its scale, are one FMA chain from zero; the block sums are added in ascending order,
/// the bias last.

#include <string.h>

#include "declarations.h"
#include "macros.h"

#pragma STDC FP_CONTRACT OFF

#define NR (LANES * VECTORS)

typedef float vector __attribute__((ext_vector_type(LANES)));
typedef int32_t int_vector __attribute__((ext_vector_type(LANES)));
typedef uint32_t bit_vector __attribute__((ext_vector_type(LANES)));
typedef uint8_t byte_vector __attribute__((ext_vector_type(LANES)));

/// Bytes of a panel's codes.
INLINE size_t panel_bytes(const nn_code_panels *m) { return (m->bits == 8 ? m->depth : (m->depth + 7) / 8 * 4) * NR; }

INLINE void load_bytes(vector *v, const uint8_t *p) {
  byte_vector bytes;
  memcpy(&bytes, p, sizeof bytes);
  *v = __builtin_convertvector(__builtin_convertvector(bytes, int_vector), vector);
}

#ifdef LOOK_UP
/// The float of code h in each word, less the zero point where all have the same.
#define CODE(words, h) LOOK_UP((words) >> (uint32_t)(4 * (h)), table)
#define TABLE \
  vector table; \
  UNROLL for (size_t code = 0; code < 16; code++) table[code] = (float)code - zero;
#else
/// Four bits of a float's fraction are its units where the exponent says so: FRACTION(i) + code has the code in the bits from
/// 4 * i on, for i up to 4.
#define FRACTION_BITS(i) ((uint32_t)(127 + 23 - 4 * (i)) << 23)
#define FRACTION(i) ((float)(1u << (23 - 4 * (i))))
/// Where code h of a word lies once those that are too far up are shifted by 12 bits.
#define PLACE(h) ((h) < 5 ? (h) : (h) - 3)
#define CODE(words, h) \
  ((vector)((((h) < 5 ? (words) : (words) >> 12) & 15u << 4 * PLACE(h)) | FRACTION_BITS(PLACE(h))) - \
   (FRACTION(PLACE(h)) + zero))
#define TABLE
#endif

/// code - zero of one vector of codes; for 4 bits those of code h of the words.
#define VALUES(target, BITS, h, j) \
  do { \
    if (BITS == 8) { \
      load_bytes(&target, codes + j / VECTORS * stride + j % VECTORS * LANES); \
      target = has_zeros ? target - zeros[j] : target - zero; \
    } else { \
      target = CODE(words[j], h); \
      if (has_zeros) target = target - zeros[j]; \
    } \
  } while (0)

#define LOAD_WORDS(P) \
  UNROLL for (size_t j = 0; j < P * VECTORS; j++) \
      memcpy(&words[j], codes + j / VECTORS * stride + j % VECTORS * LANES * 4, sizeof words[j]);

/// Bytes of a panel that a step reads.
#define PANEL_STEP(BITS) (BITS == 8 ? NR : 4 * NR)

/// `COUNT` codes of each column times as many values of each row: one vector of weights after the other for a few rows,
/// else one row of weights after the other, so that the registers suffice.
#define STEP(BITS, R, P, COUNT) \
  do { \
    bit_vector words[P * VECTORS]; \
    if (BITS == 4) { LOAD_WORDS(P) } \
    UNROLL for (size_t p = 0; p < P; p++) UNROLL for (size_t line = 0; line < PANEL_STEP(BITS); line += 64) \
        __builtin_prefetch(codes + p * stride + line + PREFETCH * NR); \
    if (R <= BY_VECTOR) UNROLL for (size_t j = 0; j < P * VECTORS; j++) { \
      UNROLL for (size_t h = 0; h < COUNT; h++) { \
        vector right; \
        VALUES(right, BITS, h, j); \
        UNROLL for (size_t i = 0; i < R; i++) \
            group[i][j] = __builtin_elementwise_fma((vector)a[i * lda + k + h], right, group[i][j]); \
      } \
      if (BITS == 4) UNROLL for (size_t i = 0; i < R; i++) KEEP_ORDER(group[i][j]); \
    } \
    else UNROLL for (size_t h = 0; h < COUNT; h++) { \
      vector right[P * VECTORS]; \
      UNROLL for (size_t j = 0; j < P * VECTORS; j++) VALUES(right[j], BITS, h, j); \
      UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < P * VECTORS; j++) \
          group[i][j] = __builtin_elementwise_fma((vector)a[i * lda + k + h], right[j], group[i][j]); \
    } \
  } while (0)

/// The last codes of a depth that fills no word.
#define LAST_STEP(R, P, count) \
  do { \
    bit_vector words[P * VECTORS]; \
    LOAD_WORDS(P) \
    for (size_t h = 0; h < count; h++) \
      UNROLL for (size_t j = 0; j < P * VECTORS; j++) { \
        vector right = __builtin_convertvector((words[j] >> (uint32_t)(4 * h)) & 15u, vector); \
        right = has_zeros ? right - zeros[j] : right - zero; \
        UNROLL for (size_t i = 0; i < R; i++) \
            group[i][j] = __builtin_elementwise_fma((vector)a[i * lda + k + h], right, group[i][j]); \
      } \
  } while (0)

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

/// All of k for R rows and P panels.
#define DEFINE_STREAM(BITS, R, P) \
  INLINE void stream_form_##BITS##_##R##x##P(const nn_code_panels *m, size_t panel, const float *a, size_t lda, \
      float *c, size_t ldc, size_t columns, const float *bias, bool has_zeros) { \
    size_t depth = m->depth, block = m->block, stride = panel_bytes(m), start = 0; \
    size_t scale_stride = (depth + block - 1) / block * NR, scaling = panel * scale_stride, next_scale = block; \
    const uint8_t *codes = m->codes + panel * stride; \
    /* The values of codes have the zero point in them already where all have the same. */ \
    const float zero = has_zeros ? 0 : m->zero; \
    TABLE \
    do { \
      size_t end = depth - start > nn_gemm_block_depth ? start + nn_gemm_block_depth : depth; \
      vector sums[R][P * VECTORS]; \
      UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < P * VECTORS; j++) sums[i][j] = 0; \
      for (size_t k = start; k < end;) { \
        size_t stop = next_scale < end ? next_scale : end; \
        vector group[R][P * VECTORS], zeros[P * VECTORS]; \
        UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < P * VECTORS; j++) group[i][j] = 0; \
        if (has_zeros) UNROLL for (size_t j = 0; j < P * VECTORS; j++) \
            load_bytes(&zeros[j], m->zeros + scaling + j / VECTORS * scale_stride + j % VECTORS * LANES); \
        if (BITS == 8) { \
          _Pragma("clang loop unroll_count(2)") for (; k < stop; k++, codes += NR) STEP(8, R, P, 1); \
        } else { \
          _Pragma("clang loop unroll(disable)") for (; k + 8 <= stop; k += 8, codes += 4 * NR) STEP(4, R, P, 8); \
          if (k < stop) LAST_STEP(R, P, stop - k); \
          k = stop; \
        } \
        UNROLL for (size_t j = 0; j < P * VECTORS; j++) { \
          vector scale; \
          memcpy(&scale, m->scales + scaling + j / VECTORS * scale_stride + j % VECTORS * LANES, sizeof scale); \
          UNROLL for (size_t i = 0; i < R; i++) sums[i][j] = __builtin_elementwise_fma(group[i][j], scale, sums[i][j]); \
        } \
        if (k == next_scale) scaling += NR, next_scale += block; \
      } \
      add_block(R, P * VECTORS, sums, c, ldc, columns, end == depth ? bias : NULL, start > 0); \
      start = end; \
    } while (start < depth); \
  } \
  static __attribute__((noinline)) void stream_##BITS##_##R##x##P(const nn_code_panels *m, size_t panel, \
      const float *a, size_t lda, float *c, size_t ldc, size_t columns, const float *bias) { \
    if (m->zeros) stream_form_##BITS##_##R##x##P(m, panel, a, lda, c, ldc, columns, bias, true); \
    else stream_form_##BITS##_##R##x##P(m, panel, a, lda, c, ldc, columns, bias, false); \
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

const nn_gemm_codes_kernel CONCAT(gemm_codes, ISA) = {
    "gemm_codes__" STRING(ISA), JOIN(nn_isa_, ISA), NR, MOST_ROWS, stream,
};
