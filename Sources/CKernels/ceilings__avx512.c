#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,fma"))), \
                             apply_to = function)

#define ISA avx512
#define LANES 16
#define CHAINS 12
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)

#include "ceilings.h"

static float byte_products(size_t iterations) {
  __m512i left = _mm512_set1_epi8(1), right = left, sums[CHAINS];
  UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm512_setzero_si512();
  for (size_t n = 0; n < iterations; n++) {
    UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm512_dpbusd_epi32(sums[i], left, right);
  }
  __m512i total = sums[0];
  UNROLL for (size_t i = 1; i < CHAINS; i++) total = _mm512_add_epi32(total, sums[i]);
  return (float)_mm512_reduce_add_epi32(total);
}

static float bfloat16_products(size_t iterations) {
  __m512 zero = _mm512_setzero_ps(), sums[CHAINS];
  __m512bh left = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-3f), zero), right = left;
  UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = zero;
  for (size_t n = 0; n < iterations; n++) {
    UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm512_dpbf16_ps(sums[i], left, right);
  }
  __m512 total = sums[0];
  UNROLL for (size_t i = 1; i < CHAINS; i++) total = _mm512_add_ps(total, sums[i]);
  return _mm512_reduce_add_ps(total);
}

const nn_peak_kernel peak_int8__avx512 = {
    "peak_int8__avx512", nn_isa_avx512, nn_peak_int8, nn_feature_dot_int8, 128 * CHAINS, byte_products,
};
const nn_peak_kernel peak_bf16__avx512 = {
    "peak_bf16__avx512", nn_isa_avx512, nn_peak_bf16, nn_feature_dot_bf16, 64 * CHAINS, bfloat16_products,
};

#pragma clang attribute pop
#endif
