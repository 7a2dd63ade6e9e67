/// The float32 Gemm kernels of one instruction set, expanded from these definitions:
///
/// - `ISA`: the suffix; `LANES`: floats in a register; `VECTORS`: registers across a panel (NR = LANES * VECTORS)
/// - `MR`: rows of the tile; `TILE_ROWS(X)`: X(1) ... X(MR)
/// - `STREAM_ROWS`, `STREAM_SHAPES(X)`: X(rows, panels) for each number of rows the streaming kernel takes, with the
///   panels it reads at once
/// - `TILE`: MRxNR
/// - `TILE_PREFETCH`, `STREAM_PREFETCH`: steps of k that the tile and the streams together fetch ahead, with weights of
///   four bytes; smaller ones fetch as many bytes; 0 leaves it to the processor
///
/// Every kernel gives an element the same sequence of operations: one FMA chain from zero over a k-block in ascending
/// order, the block sums added in ascending order, the bias added last. Weights of any form are widened to float32 first,
/// which is exact, so that a form changes nothing but the weights.

#include <string.h>

#include "declarations.h"
#include "macros.h"

#pragma STDC FP_CONTRACT OFF

#define NR (LANES * VECTORS)
/// Whether vector j of a row of C starts a cache line.
#define IS_LINE(j) ((j) * LANES % 16 == 0)

typedef float vector __attribute__((ext_vector_type(LANES)));
typedef uint32_t bit_vector __attribute__((ext_vector_type(LANES)));
typedef uint16_t half_vector __attribute__((ext_vector_type(LANES)));
/// A float that may lie at any address.
typedef float unaligned_float __attribute__((aligned(1)));

INLINE void load_vector(vector *v, const float *p) { memcpy(v, p, sizeof *v); }
INLINE void store_vector(const vector *v, float *p) { memcpy(p, v, sizeof *v); }

/// Widens bfloat16, the upper halves of float32.
INLINE void load_halves(vector *v, const uint16_t *p) {
  half_vector halves;
  memcpy(&halves, p, sizeof halves);
  *v = (vector)(__builtin_convertvector(halves, bit_vector) << 16);
}

INLINE float keep(float x) { return x; }

/// bfloat16, rounded to nearest, ties to even; a NaN stays one.
INLINE uint16_t round_to_half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

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

/// Adds the block sums of one row to the running totals in `c`, and to the last the bias; then lifts negative values to 0
/// where asked to.
INLINE void finish_row(const vector *sums, size_t vectors, float *c, size_t columns, const float *bias, bool rectifies,
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
      if (rectifies) v = v < 0.0f ? (vector)0.0f : v;
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
      if (rectifies) v = v < 0.0f ? (vector)0.0f : v;
      store_part(&v, c + first, columns - first);
    }
  }
}

#include "gemm_f32_pack.h"

#define FORM f32
#define WEIGHT float
#define WIDEN load_vector
#define NARROW keep
#include "gemm_f32_form.h"

#define FORM bf16
#define WEIGHT uint16_t
#define WIDEN load_halves
#define NARROW round_to_half
#include "gemm_f32_form.h"

const nn_gemm_f32_kernel CONCAT(JOIN(gemm_f32_, TILE), ISA) = {
    JOIN(nn_isa_, ISA), MR, NR, STREAM_ROWS, pack_a, &form_f32, &form_bf16,
};
