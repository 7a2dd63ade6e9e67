#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define ISA avx2
#define FEATURE nn_feature_none
#define NAME gemm_s16s8_6x16
#define LANES 8
#define VECTORS 2
#define MR 6
#define TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define GROUP 2
#define LEFT_OFFSET 0
#define PREFETCH 16
#define SPLITS 0
#define LOAD_RIGHT(p) _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(p)))
/// Products of values of 16 bits, whatever the weights are.
#define PRODUCTS(sums, left, right) \
  (sum_vector) _mm256_add_epi32((__m256i)(sums), _mm256_madd_epi16((__m256i)(left), right))

#include "gemm_u8s8.h"

#pragma clang attribute pop
#endif
