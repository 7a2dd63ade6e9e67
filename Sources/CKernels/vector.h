/// The vector vocabulary of the mathematical kernels: 16 float lanes on every instruction set.
///
/// The compiler splits a vector into the registers the target has. Because the lane count is the same everywhere, so
/// are the reduction trees, and with IEEE arithmetic only (no contraction, no estimates) the instruction sets agree bit
/// for bit.
#pragma once

#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "declarations.h"
#include "macros.h"

#pragma STDC FP_CONTRACT OFF
// Everything that takes a vector is inlined, so no vector crosses a call.
#pragma clang diagnostic ignored "-Wpsabi"

#define LANES 16

typedef float vector __attribute__((ext_vector_type(LANES)));
typedef int32_t int_vector __attribute__((ext_vector_type(LANES)));
typedef uint32_t bit_vector __attribute__((ext_vector_type(LANES)));

#define BITS(v) ((bit_vector)(v))
#define FLOATS(v) ((vector)(v))
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
/// The operands are evaluated in full; a NaN in `condition`'s comparison selects `otherwise`.
#define SELECT(condition, then, otherwise) ((condition) ? (vector)(then) : (vector)(otherwise))

INLINE vector absolute(vector x) { return FLOATS(BITS(x) & 0x7fffffffu); }
INLINE vector with_sign_of(vector magnitude, vector sign) {
  return FLOATS(BITS(magnitude) | (BITS(sign) & 0x80000000u));
}
/// The smaller operand; `x` when it is NaN.
INLINE vector at_most(vector x, float limit) {
  vector bound = limit;
  return SELECT(x > bound, bound, x);
}
INLINE vector at_least(vector x, float limit) {
  vector bound = limit;
  return SELECT(x < bound, bound, x);
}

INLINE vector load(const float *p) {
  vector v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(vector v, float *p) { memcpy(p, &v, sizeof v); }

/// Loads `count` <= LANES values; the other lanes hold `fill`.
INLINE vector load_part(const float *p, size_t count, float fill) {
#if defined(HAS_MASKED_ACCESS)
  return (vector)_mm512_mask_loadu_ps(_mm512_set1_ps(fill), (__mmask16)((1u << count) - 1), p);
#else
  vector v = fill;
  memcpy(&v, p, count * sizeof(float));
  return v;
#endif
}
INLINE void store_part(vector v, float *p, size_t count) {
#if defined(HAS_MASKED_ACCESS)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
#else
  memcpy(p, &v, count * sizeof(float));
#endif
}

/// Sum and maximum over the lanes, halving: lane i with lane i + 8, then + 4, + 2, + 1.
INLINE float lane_sum(vector v) {
  float lanes[LANES];
  store(v, lanes);
  for (size_t half = LANES / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++) lanes[i] = lanes[i] + lanes[i + half];
  return lanes[0];
}
INLINE float lane_maximum(vector v) {
  float lanes[LANES];
  store(v, lanes);
  for (size_t half = LANES / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++) lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
  return lanes[0];
}
