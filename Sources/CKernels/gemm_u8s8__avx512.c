#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma"))), \
                             apply_to = function)

#define ISA avx512
#define FEATURE nn_feature_dot_int8
#define NAME gemm_u8s8_12x32
#define LANES 16
#define VECTORS 2
#define MR 12
#define TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#define GROUP 4
#define LEFT_OFFSET 0
#define PREFETCH 16
#define SPLITS 0
#define LOAD_RIGHT(p) _mm512_loadu_si512(p)
#define PRODUCTS(sums, left, right) (sum_vector) _mm512_dpbusd_epi32((__m512i)(sums), (__m512i)(left), right)

#include "gemm_u8s8.h"

#pragma clang attribute pop
#endif
