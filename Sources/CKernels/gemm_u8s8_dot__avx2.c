#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)

#define ISA avx2
#define FEATURE nn_feature_dot_int8
#define NAME gemm_u8s8_dot_6x16
#define LANES 8
#define VECTORS 2
#define MR 6
#define TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define GROUP 4
#define LEFT_OFFSET 0
#define PREFETCH 16
#define SPLITS 0
#define LOAD_RIGHT(p) _mm256_loadu_si256((const __m256i *)(p))
#define PRODUCTS(sums, left, right) (sum_vector) _mm256_dpbusd_avx_epi32((__m256i)(sums), (__m256i)(left), right)

#include "gemm_u8s8.h"

#pragma clang attribute pop
#endif
