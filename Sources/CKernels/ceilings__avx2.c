#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define ISA avx2
#define LANES 8
#define CHAINS 12
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)

#include "ceilings.h"

/// Products of bytes summed by pairs, twice, then added: what 8-bit products take without a dot product instruction.
static float byte_products(size_t iterations) {
  __m256i left = _mm256_set1_epi8(1), right = left, ones = _mm256_set1_epi16(1), sums[CHAINS];
  UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm256_setzero_si256();
  for (size_t n = 0; n < iterations; n++) {
    UNROLL for (size_t i = 0; i < CHAINS; i++) {
      // The compiler must not find out that the product is always the same.
      __asm__ volatile("" : "+x"(left));
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(_mm256_maddubs_epi16(left, right), ones));
    }
  }
  __m256i total = sums[0];
  UNROLL for (size_t i = 1; i < CHAINS; i++) total = _mm256_add_epi32(total, sums[i]);
  return (float)_mm256_extract_epi32(total, 0);
}

const nn_peak_kernel peak_int8__avx2 = {
    "peak_int8__avx2", nn_isa_avx2, nn_peak_int8, nn_feature_none, 64 * CHAINS, byte_products,
};

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,avxvnni"))), apply_to = function)

static float dot_products(size_t iterations) {
  __m256i left = _mm256_set1_epi8(1), right = left, sums[CHAINS];
  UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm256_setzero_si256();
  for (size_t n = 0; n < iterations; n++) {
    UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm256_dpbusd_avx_epi32(sums[i], left, right);
  }
  __m256i total = sums[0];
  UNROLL for (size_t i = 1; i < CHAINS; i++) total = _mm256_add_epi32(total, sums[i]);
  return (float)_mm256_extract_epi32(total, 0);
}

#pragma clang attribute pop

const nn_peak_kernel peak_int8_dot__avx2 = {
    "peak_int8_dot__avx2", nn_isa_avx2, nn_peak_int8, nn_feature_dot_int8, 64 * CHAINS, dot_products,
};
#endif
